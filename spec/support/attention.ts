/** Attention in float64, for comparison. */
import fc from "fast-check";
import type { Tensor4D } from "@tensorflow/tfjs-core";
import { numbers, size } from "./operations.ts";

export interface AttentionSizes {
  readonly batch: number;
  readonly heads: number;
  readonly length: number;
  readonly headWidth: number;
}

/** Around the edges of vectors, tiles and panels, which the sizes of models do not cover. */
export const attentionSizes = {
  batch: size(3),
  heads: size(4),
  length: size(70),
  headWidth: size(70),
} satisfies Record<keyof AttentionSizes, fc.Arbitrary<number>>;

/** The shapes that masks have, and the shape that broadcasting allows. */
export const maskKinds = fc.constantFrom("none", "padding", "causal", "full");

export interface Mask {
  readonly shape: Tensor4D["shape"];
  readonly values: Float32Array;
}

/** A mask with about a tenth of the scores masked. The first key of each query is not, so that softmax is defined. */
export function randomMask(kind: string, { batch, heads, length }: AttentionSizes): Mask | null {
  const shapes: Record<string, Tensor4D["shape"]> = {
    padding: [batch, 1, 1, length],
    causal: [1, 1, length, length],
    full: [batch, heads, length, length],
  };
  const shape = shapes[kind];
  if (shape === undefined) return null;
  const values = numbers(
    "mask",
    shape.reduce((a, b) => a * b),
  ).map((value, i) => (i % length > 0 && value > 0.8 ? -1e9 : 0));
  return { shape, values };
}

/** The mask's value for a score, broadcast. */
function maskAt(mask: Mask | null, position: readonly number[]): number {
  if (mask === null) return 0;
  const index = position.reduce((flat, at, axis) => {
    const axisSize = mask.shape[axis]!;
    return flat * axisSize + (axisSize === 1 ? 0 : at);
  }, 0);
  return mask.values[index]!;
}

/** [batch, heads, length, length] */
export function referenceProbabilities(
  { batch, heads, length, headWidth }: AttentionSizes,
  query: Float32Array,
  key: Float32Array,
  mask: Mask | null,
): Float64Array {
  const width = heads * headWidth;
  const probabilities = new Float64Array(batch * heads * length * length);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const base = b * length * width + h * headWidth;
      for (let i = 0; i < length; i++) {
        const scores = Float64Array.from({ length }, (_, j) => {
          let score = 0;
          for (let c = 0; c < headWidth; c++)
            score += query[base + i * width + c]! * key[base + j * width + c]!;
          return score / Math.sqrt(headWidth) + maskAt(mask, [b, h, i, j]);
        });
        const most = Math.max(...scores);
        const powers = scores.map((score) => Math.exp(score - most));
        const total = powers.reduce((sum, power) => sum + power, 0);
        probabilities.set(
          powers.map((power) => power / total),
          ((b * heads + h) * length + i) * length,
        );
      }
    }
  }
  return probabilities;
}

/** [batch, length, heads · headWidth] */
export function referenceContext(
  { batch, heads, length, headWidth }: AttentionSizes,
  probabilities: ArrayLike<number>,
  value: Float32Array,
): Float64Array {
  const width = heads * headWidth;
  const context = new Float64Array(batch * length * width);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const base = b * length * width + h * headWidth;
      for (let i = 0; i < length; i++) {
        for (let j = 0; j < length; j++) {
          const probability = probabilities[((b * heads + h) * length + i) * length + j]!;
          for (let c = 0; c < headWidth; c++)
            context[base + i * width + c]! += probability * value[base + j * width + c]!;
        }
      }
    }
  }
  return context;
}
