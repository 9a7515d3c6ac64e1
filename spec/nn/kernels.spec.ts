/**
 * The network's operations against their definitions in float64, on whatever backend runs: sizes around the edges of
 * vectors, tiles and panels, which no model's sizes meet.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { memory, tensor1d, tensor2d, tensor3d, tensor4d, tidy, type Tensor } from "@tensorflow/tfjs-core";
import { scaledDotProductAttention } from "../../lib/nn/scaled-dot-product-attention.ts";
import { Gelu } from "../../lib/nn/gelu.ts";
import { LayerNorm } from "../../lib/nn/layer-norm.ts";
import { linear, linearSplit } from "../../lib/nn/operations/linear.ts";
import { ModelWeights, type WeightScope } from "../../lib/tensor/model-weights.ts";
import { loadAll } from "../../lib/tensor/weight.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { SyntheticStore, syntheticValues } from "../../lib/tensor/synthetic.ts";
import { pass, withTaps } from "../../lib/tensor/taps.ts";

/** Normal enough: zero mean, unit variance. */
function numbers(seed: string, count: number): Float32Array {
  return syntheticValues("input.image", [count], seed.length * 7919, count);
}

function assertClose(ours: Tensor, expected: Float64Array, what: string, tolerance = 2e-6): void {
  const { relativeL2 } = compare(ours.dataSync(), expected);
  assert.ok(relativeL2 < tolerance, `${what}: relative L2 ${relativeL2}`);
}

function scopeOf(shapes: Record<string, number[]>): { weights: ModelWeights; scope: WeightScope } {
  const weights = new ModelWeights(new SyntheticStore(Object.entries(shapes)));
  return { weights, scope: weights.root };
}

const runs = { numRuns: 40, seed: 20 };

describe("kernels", () => {
  function assertProduct(rows: number, depth: number, parts: number, out: number, withBias: boolean): void {
    const columns = parts * out;
    const x = numbers("x", rows * depth);
    const w = numbers("ww", depth * columns);
    const b = withBias ? numbers("b", columns) : new Float32Array(columns);
    const bias = withBias ? tensor1d(b) : undefined;
    const outputs = linearSplit(parts, tensor2d(x, [rows, depth]), tensor2d(w, [depth, columns]), bias);
    assert.equal(outputs.length, parts);
    for (const [part, y] of outputs.entries()) {
      const expected = Float64Array.from({ length: rows * out }, (_, at) => {
        const [i, j] = [Math.floor(at / out), part * out + (at % out)];
        let total = b[j]!;
        for (let k = 0; k < depth; k++) total += x[i * depth + k]! * w[k * columns + j]!;
        return total;
      });
      assert.deepEqual(y.shape, [rows, out]);
      assertClose(y, expected, `[${rows}, ${depth}] · [${depth}, ${columns}], part ${part} of ${parts}`);
    }
  }

  it("x · W + b, for any sizes", () => {
    const size = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most });
    fc.assert(
      fc.property(size(40), size(600), size(3), size(300), fc.boolean(), (...sizes) => {
        tidy(() => {
          assertProduct(...sizes);
        });
      }),
      runs,
    );
  });

  // More rows than are taken at once, of a small and of a large right matrix.
  for (const [rows, depth, columns] of [
    [801, 5, 3],
    [801, 300, 500],
  ] as const) {
    it(`x · W of ${rows} rows, ${depth} by ${columns}`, () => {
      tidy(() => {
        assertProduct(rows, depth, 1, columns, false);
      });
    });
  }

  it("GELU from −14 to 14, near 0 and far out", () => {
    const x = Float32Array.from({ length: 40_001 }, (_, i) => (i - 20_000) * 7e-4);
    tidy(() => {
      const { scope } = scopeOf({});
      const y = new Gelu(scope).apply(tensor3d(x, [1, x.length, 1])).dataSync();
      let worst = 0;
      for (const [i, value] of x.entries()) worst = Math.max(worst, Math.abs(y[i]! - value * phi(value)));
      assert.ok(worst < 5e-7, `off by ${worst}`);
      for (const i of [0, 20_000, 40_000]) assert.ok(Number.isFinite(y[i]));
    });
  });

  it("LayerNorm, also of rows with a large mean", async () => {
    for (const [rows, width] of [
      [3, 1280],
      [5, 23],
      [40, 1024],
      [1, 1],
      [2, 17],
    ] as const) {
      const { weights, scope } = scopeOf({ weight: [width], bias: [width] });
      const layer = new LayerNorm(scope, width, 1e-5);
      await loadAll([layer.weight, layer.bias]);
      const x = numbers("norm", rows * width).map((value, i) => value * 3 + (i < width ? 100 : 0.5));
      tidy(() => {
        const gamma = layer.weight.tensor.dataSync();
        const beta = layer.bias.tensor.dataSync();
        const expected = new Float64Array(rows * width);
        for (let row = 0; row < rows; row++) {
          const values = Float64Array.from(x.subarray(row * width, (row + 1) * width));
          const mean = values.reduce((a, b) => a + b) / width;
          const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
          for (let i = 0; i < width; i++) {
            expected[row * width + i] =
              ((values[i]! - mean) / Math.sqrt(variance + 1e-5)) * gamma[i]! + beta[i]!;
          }
        }
        // A mean of 100 costs two decimals of the row's own numbers, in any order of summing.
        assertClose(
          layer.apply(tensor3d(x, [1, rows, width])),
          expected,
          `LayerNorm of ${rows} × ${width}`,
          1e-5,
        );
      });
      weights.dispose();
    }
  });

  it("attention, for any lengths and masks", async () => {
    const sizes = fc.record({
      batch: fc.integer({ min: 1, max: 3 }),
      heads: fc.integer({ min: 1, max: 4 }),
      length: fc.integer({ min: 1, max: 70 }),
      headWidth: fc.integer({ min: 1, max: 70 }),
      mask: fc.constantFrom("none", "padding", "causal", "full"),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ batch, heads, length, headWidth, mask }) => {
        const width = heads * headWidth;
        const count = batch * length * width;
        const [q, k, v] = [numbers("q", count), numbers("kk", count), numbers("vvv", count)];
        const maskShape = {
          none: null,
          padding: [batch, 1, 1, length],
          causal: [1, 1, length, length],
          full: [batch, heads, length, length],
        }[mask] as [number, number, number, number] | null;
        // The first column stays: a row without any would have no softmax.
        const masked =
          maskShape &&
          numbers(
            "mask",
            maskShape.reduce((a, b) => a * b),
          ).map((value, i) => (i % length > 0 && value > 0.8 ? -1e9 : 0));
        const at = (b: number, h: number, i: number, j: number): number => {
          if (!maskShape) return 0;
          const index = [b, h, i, j].reduce((flat, position, axis) => {
            const size = maskShape[axis]!;
            return flat * size + (size === 1 ? 0 : position);
          }, 0);
          return masked![index]!;
        };
        const expectedP = new Float64Array(batch * heads * length * length);
        const expected = new Float64Array(count);
        for (let b = 0; b < batch; b++) {
          for (let h = 0; h < heads; h++) {
            const base = b * length * width + h * headWidth;
            for (let i = 0; i < length; i++) {
              const scores = Float64Array.from({ length }, (_, j) => {
                let score = 0;
                for (let c = 0; c < headWidth; c++)
                  score += q[base + i * width + c]! * k[base + j * width + c]!;
                return score / Math.sqrt(headWidth) + at(b, h, i, j);
              });
              const most = Math.max(...scores);
              const powers = scores.map((score) => Math.exp(score - most));
              const total = powers.reduce((sum, power) => sum + power, 0);
              for (let j = 0; j < length; j++) {
                const p = powers[j]! / total;
                expectedP[((b * heads + h) * length + i) * length + j] = p;
                for (let c = 0; c < headWidth; c++)
                  expected[base + i * width + c]! += p * v[base + j * width + c]!;
              }
            }
          }
        }
        const shape: [number, number, number] = [batch, length, width];
        const sink = (_: string, value: Tensor): void => {
          assertClose(value, expectedP, "probabilities");
        };
        await withTaps(sink, () =>
          pass(async () => {
            const { scope } = scopeOf({});
            tidy(() => {
              const inputs = [tensor3d(q, shape), tensor3d(k, shape), tensor3d(v, shape)] as const;
              const given = maskShape ? tensor4d(masked!, maskShape) : undefined;
              assertClose(
                scaledDotProductAttention(scope.at("self"), heads, ...inputs, given),
                expected,
                "context",
              );
            });
            return Promise.resolve();
          }),
        );
      }),
      runs,
    );
  });

  it("leave no tensor behind", () => {
    const before = memory().numTensors;
    tidy(() => {
      const { scope } = scopeOf({});
      const x = tensor3d(numbers("x", 60), [2, 3, 10]);
      scaledDotProductAttention(scope, 2, x, x, x);
      new Gelu(scope).apply(x);
      linear(x, tensor2d(numbers("w", 50), [10, 5]));
    });
    assert.equal(memory().numTensors, before);
  });
});

/** The normal distribution function, by the series of erf near 0 and the continued fraction of erfc further out. */
function phi(x: number): number {
  const t = Math.abs(x) / Math.SQRT2;
  let below: number; // Φ(−|x|)
  if (t < 3) {
    let term = t;
    let total = t;
    for (let n = 1; n < 200; n++) {
      term *= -(t * t) / n;
      total += term / (2 * n + 1);
    }
    below = 0.5 - total / Math.sqrt(Math.PI);
  } else {
    let fraction = t;
    for (let n = 120; n > 0; n--) fraction = t + n / 2 / fraction;
    below = Math.exp(-t * t) / (2 * fraction * Math.sqrt(Math.PI));
  }
  return x < 0 ? below : 1 - below;
}
