import assert from "node:assert/strict";

import { concat, range, reshape, split, tidy } from "@tensorflow/tfjs-core";

import { startNodeBackend, wasmLoader } from "../../../lib/node/backends/backends.ts";
import { startBackend } from "../../../lib/tensor/backend.ts";

describe("split on wasm", () => {
  before(() => startBackend("wasm", [wasmLoader]));
  after("restore the backend", () => startNodeBackend());

  it("splits columns", () => {
    tidy(() => {
      const [left, right] = split(reshape(range(0, 12), [2, 6]), [4, 2], -1);
      assert.deepEqual([left!.shape, right!.shape], [[2, 4], [2, 2]]); // prettier-ignore
      assert.deepEqual([...left!.dataSync()], [0, 1, 2, 3, 6, 7, 8, 9]);
      assert.deepEqual([...right!.dataSync()], [4, 5, 10, 11]);
    });
  });

  for (const dtype of ["float32", "int32"] as const) {
    for (const axis of [0, 1, 2, 3, -2]) {
      it(`is undone by concat: ${dtype}, axis ${axis}`, () => {
        tidy(() => {
          const x = reshape(range(0, 4 * 6 * 2 * 8, 1, dtype), [4, 6, 2, 8]);
          const parts = split(x, 2, axis);
          assert.deepEqual([parts.length, parts[0]!.dtype], [2, dtype]);
          assert.deepEqual(concat(parts, axis).dataSync(), x.dataSync());
        });
      });
    }
  }

  it("works while the heap grows", () => {
    tidy(() => {
      const x = range(0, 1 << 24); // 64 MB; its parts need another 64 MB
      const parts = split(x, 2);
      assert.equal(parts[1]!.dataSync()[5], (1 << 23) + 5);
    });
  });
});
