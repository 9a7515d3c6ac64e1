import assert from "node:assert/strict";

import {
  backend,
  fused,
  matMul,
  memory,
  randomNormal,
  randomUniform,
  reshape,
  tidy,
} from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { startNodeBackend, wasmLoader } from "../../../lib/node/backends/backends.ts";
import { startBackend } from "../../../lib/tensor/backend.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { assertNear } from "../../support/near.ts";

type Entry = (matrix: number, row: number, column: number) => number;

/** The entries of a stack of matrices, or of their transposes. */
function entries(x: Tensor, transpose: boolean): Entry {
  const [rows = 0, columns = 0] = x.shape.slice(-2);
  const values = x.dataSync();
  return (matrix, row, column) =>
    values[matrix * rows * columns + (transpose ? column * columns + row : row * columns + column)]!;
}

function seeded([rows, columns]: readonly [number, number], seed: number): Tensor2D {
  return randomNormal([rows, columns], 0, 1, "float32", seed);
}

/** In float64. */
function products(a: Entry, b: Entry, [count, rows, depth, columns]: readonly number[]): number[] {
  return Array.from({ length: count! * rows! * columns! }, (_, at) => {
    const [matrix, row] = [Math.floor(at / (rows! * columns!)), Math.floor(at / columns!) % rows!];
    let sum = 0;
    for (let k = 0; k < depth!; k++) sum += a(matrix, row, k) * b(matrix, k, at % columns!);
    return sum;
  });
}

describe("matrix products on wasm", () => {
  before(() => startBackend("wasm", [wasmLoader]));
  after("restore the backend", () => startNodeBackend());

  for (const sizes of [
    [3, 8, 1, 1],
    [4, 9, 5, 7],
    [5, 31, 16, 33],
    [2, 64, 80, 3],
    [1, 17, 80, 17],
    [2, 9, 16, 40], // a larger right matrix
    [6, 3, 80, 40], // few rows
  ] as const) {
    const [count, rows, depth, columns] = sizes;
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const marks = [transposeA, transposeB].map((transposed) => (transposed ? "ᵀ" : ""));
      it(`multiply ${count} × [${rows}, ${depth}]${marks[0]!} · [${depth}, ${columns}]${marks[1]!}`, () => {
        tidy(() => {
          const a = randomUniform([count, ...(transposeA ? [depth, rows] : [rows, depth])], -1, 1);
          const b = randomUniform([count, ...(transposeB ? [columns, depth] : [depth, columns])], -1, 1);
          const product = matMul(a, b, transposeA, transposeB);
          assert.deepEqual(product.shape, [count, rows, columns]);
          const expected = products(entries(a, transposeA), entries(b, transposeB), sizes);
          assertNear([...product.dataSync()], expected, 1e-5);
        });
      });
    }
  }

  it("are more exact at depth 5120 than a single running sum, whose relative error is 1.4e-6", () => {
    tidy(() => {
      const sizes = [1, 9, 5120, 40];
      const [a, b] = [seeded([9, 5120], 1), seeded([5120, 40], 2)];
      const bias: Tensor1D = reshape(seeded([1, 40], 3), [40]);
      const [left, right, biases] = [entries(a, false), entries(b, false), bias.dataSync()];
      const exact = products(left, right, sizes);
      const near = (ours: Tensor, expected: number[]): void => {
        assert.deepEqual(ours.shape, [9, 40]);
        const { relativeL2 } = compare(ours.dataSync(), expected);
        assert.ok(relativeL2 < 4e-7, `relative L2 ${relativeL2}`);
      };
      near(matMul(a, b), exact);
      near(
        fused.matMul({ a, b, bias }),
        exact.map((value, at) => value + biases[at % 40]!),
      );
    });
  });

  it("keep the leading axes", () => {
    tidy(() => {
      const [a, b] = [randomUniform([2, 3, 9, 4]), randomUniform([2, 3, 9, 4])];
      const product = matMul(a, b, false, true);
      assert.deepEqual(product.shape, [2, 3, 9, 9]);
      const expected = products(entries(a, false), entries(b, true), [6, 9, 4, 9]);
      assertNear([...product.dataSync()], expected, 1e-5);
    });
  });

  it("do not let the heap grow, however many there are", () => {
    const { wasm } = backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
    const run = (): void => {
      tidy(() => {
        matMul(randomUniform([2, 8, 256]), randomUniform([2, 2048, 256]), false, true); // 4 MB
        const [a, b] = [randomUniform([8, 512]), randomUniform([512, 2048])]; // 4 MB
        for (let i = 0; i < 3; i++) matMul(a, b);
      });
    };
    run();
    run();
    const before = { tensors: memory().numTensors, heap: wasm.HEAPU8.length };
    for (let i = 0; i < 30; i++) run(); // 240 MB
    assert.deepEqual({ tensors: memory().numTensors, heap: wasm.HEAPU8.length }, before);
  });
});
