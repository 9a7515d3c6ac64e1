/**
 * C = P · V, in each head.
 *
 * Derivative: P̄ = C̄ · Vᵀ, V̄ = Pᵀ · C̄.
 */
import { matMul, transpose, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Precision } from "../../tensor/precision.ts";
import { mergeHeads, splitHeads } from "./heads.ts";
import { operation } from "./operation.ts";

export interface ContextInputs {
  /** [B, heads, L, L] */
  readonly probabilities: Tensor4D;
  /** [B, L, heads · headWidth] */
  readonly value: Tensor3D;
}

export interface ContextAttributes {
  /** The kernel of a backend with packed weights computes the products in bfloat16, unless it is f32. */
  readonly precision: Precision;
}

const operate = operation<ContextInputs, ContextAttributes, Tensor3D>({
  name: "ClipscopeAttentionContext",
  inputs: ["probabilities", "value"],
  compute: ({ probabilities, value }) =>
    mergeHeads(matMul(probabilities, splitHeads(value, probabilities.shape[1]))),
  gradient: (dy, { probabilities, value }) => {
    const heads = probabilities.shape[1];
    return {
      probabilities: () => matMul(splitHeads(dy, heads), splitHeads(value, heads), false, true),
      value: () => mergeHeads(matMul(transpose(probabilities, [0, 1, 3, 2]), splitHeads(dy, heads))),
    };
  },
});

/**
 * Each query's mean of the values, weighted by its probabilities.
 *
 * @param probabilities [B, heads, L, L]
 * @param value [B, L, heads · headWidth]
 * @returns [B, L, heads · headWidth]
 */
export function attentionContext(
  probabilities: Tensor4D,
  value: Tensor3D,
  precision: Precision = "f32",
): Tensor3D {
  return operate({ probabilities, value }, { precision });
}
