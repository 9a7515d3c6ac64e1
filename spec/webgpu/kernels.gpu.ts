/** The shaders against float64, at sizes around the edges of tiles and workgroups. */
import { strict as assert } from "node:assert";
import {
  cast,
  equal,
  matMul,
  memory,
  tensor,
  tensor1d,
  tensor2d,
  tidy,
  type Tensor,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { attentionContext } from "../../lib/nn/operations/attention-context.ts";
import { attentionProbabilities } from "../../lib/nn/operations/attention-probabilities.ts";
import { gelu } from "../../lib/nn/operations/gelu.ts";
import { layerNorm } from "../../lib/nn/operations/layer-norm.ts";
import { linearSplit } from "../../lib/nn/operations/linear.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { numbers, products } from "../support/operations.ts";
import { phi } from "../support/normal-distribution.ts";

/** Runs `compute` and compares its results with float64. Nothing stays on the device. */
async function assertClose(
  compute: () => Tensor[],
  expected: readonly ArrayLike<number>[],
  tolerance: number,
): Promise<void> {
  const before = memory().numTensors;
  const outputs = tidy(compute);
  assert.equal(outputs.length, expected.length);
  for (const [i, output] of outputs.entries()) {
    const { relativeL2 } = compare(await output.data<"float32">(), expected[i]!);
    assert.ok(relativeL2 <= tolerance, `output ${i}: relative L2 ${relativeL2}`);
    output.dispose();
  }
  assert.equal(memory().numTensors, before);
}

describe("linear on webgpu", () => {
  // rows, depth, parts, columns of a part: empty tiles, partial tiles, several tiles; sums in parts from depth 256.
  for (const [rows, depth, parts, columns] of [
    [1, 1, 1, 1],
    [16, 16, 1, 64],
    [33, 17, 1, 65],
    [5, 700, 3, 30],
    [130, 300, 2, 70],
    [64, 256, 1, 64],
  ] as const) {
    it(`[${rows}, ${depth}] · [${depth}, ${parts} × ${columns}]`, async () => {
      const width = parts * columns;
      const [x, w, b] = [numbers("x", rows * depth), numbers("ww", depth * width), numbers("b", width)];
      const expected = Array.from({ length: parts }, (_, part) =>
        products([rows, columns, depth], (i, column, k) => {
          const j = part * columns + column;
          return x[i * depth + k]! * w[k * width + j]! + (k === 0 ? b[j]! : 0);
        }),
      );
      const weight = (): Tensor2D => tensor2d(w, [depth, width]);
      await assertClose(
        () => linearSplit(parts, tensor(x, [rows, depth]), weight(), tensor1d(b)),
        expected,
        6e-7,
      );
    });
  }

  it("gives the same bits every time, also for deep products of few rows", async () => {
    const [x, w] = [numbers("x", 4 * 5120), numbers("ww", 5120 * 96)];
    const once = async (): Promise<Float32Array> => {
      const [y] = tidy(() => linearSplit(1, tensor(x, [4, 5120]), tensor2d(w, [5120, 96])));
      const values = await y!.data<"float32">();
      y!.dispose();
      return values;
    };
    assert.deepEqual(await once(), await once());
  });
});

describe("matMul on webgpu", () => {
  for (const [transposeA, transposeB] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    it(`multiplies a stack of matrices, transposed: ${transposeA}, ${transposeB}`, async () => {
      const [stack, rows, depth, columns] = [3, 37, 20, 70];
      const [a, b] = [numbers("a", stack * rows * depth), numbers("bb", stack * depth * columns)];
      const expected = Array.from({ length: stack }, (_, s) => [
        ...products([rows, columns, depth], (i, j, k) => {
          const ofA = transposeA ? k * rows + i : i * depth + k;
          const ofB = transposeB ? j * depth + k : k * columns + j;
          return a[s * rows * depth + ofA]! * b[s * depth * columns + ofB]!;
        }),
      ]).flat();
      await assertClose(
        () => [
          matMul(
            tensor(a, transposeA ? [stack, depth, rows] : [stack, rows, depth]),
            tensor(b, transposeB ? [stack, columns, depth] : [stack, depth, columns]),
            transposeA,
            transposeB,
          ),
        ],
        [expected],
        6e-7,
      );
    });
  }
});

describe("casts on webgpu", () => {
  it("leave integers in the buffers of float32 tensors, which products take", async () => {
    await assertClose(
      () => {
        const isOne = cast(equal(tensor([[1, 0], [1, 1]], [2, 2], "int32"), 1), "float32"); // prettier-ignore
        return [matMul(isOne, tensor([[1, 2], [30, 40]]))]; // prettier-ignore
      },
      [[1, 2, 31, 42]],
      0,
    );
  });
});

describe("gelu on webgpu", () => {
  it("is exact to float32 from −14 to 14", async () => {
    const x = Float32Array.from({ length: 40_001 }, (_, i) => (i - 20_000) * 7e-4);
    const y = tidy(() => gelu(tensor(x)));
    const values = await y.data<"float32">();
    y.dispose();
    let worst = 0;
    for (const [i, value] of x.entries()) worst = Math.max(worst, Math.abs(values[i]! - value * phi(value)));
    assert.ok(worst < 7e-7, `off by ${worst}`);
  });
});

describe("layerNorm on webgpu", () => {
  for (const [rows, width] of [
    [1, 1],
    [3, 63],
    [5, 64],
    [70, 65],
    [2, 1280],
  ] as const) {
    it(`of ${rows} rows of ${width}`, async () => {
      // A mean that is large beside the deviation: the variance must be computed around it.
      const x = numbers("x", rows * width).map((value) => value + 100);
      const [gamma, beta] = [numbers("gg", width), numbers("b", width)];
      const expected = Array.from({ length: rows }, (_, row) => {
        const values = [...x.subarray(row * width, (row + 1) * width)];
        const mean = values.reduce((sum, value) => sum + value, 0) / width;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
        return values.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * gamma[i]! + beta[i]!);
      }).flat();
      await assertClose(
        () => [layerNorm(tensor(x, [rows, width]), tensor1d(gamma), tensor1d(beta), 1e-5)],
        [expected],
        1e-5,
      );
    });
  }
});

describe("attention on webgpu", () => {
  for (const [batch, length, heads, headWidth, isMasked] of [
    [1, 1, 1, 4, false],
    [2, 17, 3, 5, true],
    [1, 65, 2, 16, false],
  ] as const) {
    it(`of ${heads} heads over ${length} positions${isMasked ? ", masked" : ""}`, async () => {
      const width = heads * headWidth;
      const shape: [number, number, number] = [batch, length, width];
      const [q, k, v] = ["q", "kk", "vvv"].map((seed) => numbers(seed, batch * length * width)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const mask = Float32Array.from({ length: batch * length }, (_, i) =>
        isMasked && i % 5 === 1 ? -1e4 : 0,
      );
      const at = (b: number, h: number, row: number, i: number): number =>
        (b * length + row) * width + h * headWidth + i;
      const probabilities: number[] = [];
      const context = new Float64Array(batch * length * width);
      for (let b = 0; b < batch; b++) {
        for (let h = 0; h < heads; h++) {
          for (let row = 0; row < length; row++) {
            const scores = Array.from({ length }, (_, key) => {
              let sum = 0;
              for (let i = 0; i < headWidth; i++) sum += q[at(b, h, row, i)]! * k[at(b, h, key, i)]!;
              return sum / Math.sqrt(headWidth) + mask[b * length + key]!;
            });
            const highest = Math.max(...scores);
            const weights = scores.map((score) => Math.exp(score - highest));
            const total = weights.reduce((sum, weight) => sum + weight, 0);
            for (const [key, weight] of weights.entries()) {
              probabilities.push(weight / total);
              for (let i = 0; i < headWidth; i++)
                context[at(b, h, row, i)]! += (weight / total) * v[at(b, h, key, i)]!;
            }
          }
        }
      }
      await assertClose(
        () => {
          const ofHeads = attentionProbabilities(
            heads,
            tensor(q, shape),
            tensor(k, shape),
            isMasked ? tensor(mask, [batch, 1, 1, length]) : undefined,
          );
          return [ofHeads, attentionContext(ofHeads, tensor(v, shape))];
        },
        [probabilities, context],
        2e-6,
      );
    });
  }
});
