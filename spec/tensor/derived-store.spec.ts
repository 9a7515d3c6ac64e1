import assert from "node:assert/strict";
import fc from "fast-check";
import { DerivedStore } from "../../lib/tensor/derived-store.ts";
import { SyntheticStore } from "../../lib/tensor/synthetic.ts";
import { readFloat32 } from "../../lib/tensor/store.ts";

describe("DerivedStore", () => {
  const base = new SyntheticStore([
    ["kept", [3]],
    ["changed", [4, 5]],
  ]);
  const all = Float32Array.from({ length: 20 }, (_, i) => i / 7);
  const store = new DerivedStore(
    "derived",
    base,
    new Map([["changed", { shape: [4, 5], values: (first, count) => all.slice(first, first + count) }]]),
  );

  it("reads any bytes of a derived tensor, and the base's of another", async () => {
    assert.deepEqual(await readFloat32(store, "kept"), await readFloat32(base, "kept"));
    assert.deepEqual(await readFloat32(store, "changed"), all);
    const bytes = new Uint8Array(all.buffer);
    await fc.assert(
      fc.asyncProperty(fc.nat(80), fc.nat(80), async (one, other) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        assert.deepEqual(
          [...(await store.read("changed", start, end - start))],
          [...bytes.subarray(start, end)],
        );
      }),
    );
  });
});
