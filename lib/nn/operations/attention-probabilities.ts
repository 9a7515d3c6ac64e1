/**
 * P = softmax(S), S = Q · Kᵀ / √headWidth + mask, in each head.
 *
 * Derivative: S̄ = P (P̄ − Σ P P̄), Q̄ = S̄ · K / √headWidth, K̄ = S̄ᵀ · Q / √headWidth.
 */
import { add, matMul, mul, softmax, sub, sum, transpose } from "@tensorflow/tfjs-core";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import type { Precision } from "../../tensor/precision.ts";
import { mergeHeads, splitHeads } from "./heads.ts";
import { noGradient, operation } from "./operation.ts";

export interface ProbabilitiesInputs {
  /** [B, L, heads · headWidth] */
  readonly query: Tensor3D;
  /** As the query. */
  readonly key: Tensor3D;
  /** Added to the scores; broadcast to [B, heads, L, L]. */
  readonly mask?: Tensor4D | undefined;
}

export interface ProbabilitiesAttributes {
  readonly heads: number;
  /** The kernel of a backend with packed weights computes the products in bfloat16, unless it is f32. */
  readonly precision: Precision;
}

const operate = operation<ProbabilitiesInputs, ProbabilitiesAttributes, Tensor4D>({
  name: "ClipscopeAttentionProbabilities",
  inputs: ["query", "key", "mask"],
  savesOutput: true,
  compute: ({ query, key, mask }, { heads }) => {
    const scaled = mul(splitHeads(query, heads), scale(query, heads));
    const scores: Tensor4D = matMul(scaled, splitHeads(key, heads), false, true); // [B, heads, L, L]
    return softmax(mask ? add(scores, mask) : scores);
  },
  gradient: (dy, { query, key }, { heads }, probabilities) => {
    const scores = mul<Tensor4D>(
      mul(probabilities, sub(dy, sum(mul(dy, probabilities), -1, true))),
      scale(query, heads),
    );
    return {
      query: () => mergeHeads(matMul(scores, splitHeads(key, heads))),
      key: () => mergeHeads(matMul(transpose(scores, [0, 1, 3, 2]), splitHeads(query, heads))),
      mask: noGradient,
    };
  },
});

/**
 * Attention probabilities of each head.
 *
 * @param query [B, L, heads · headWidth]
 * @param key as the query
 * @param mask added to the scores; four axes that broadcast to [B, heads, L, L]
 * @returns [B, heads, L, L]: row q holds the probabilities with which query q attends to each key
 */
export function attentionProbabilities(
  heads: number,
  query: Tensor3D,
  key: Tensor3D,
  mask?: Tensor4D,
  precision: Precision = "f32",
): Tensor4D {
  return operate({ query, key, mask }, { heads, precision });
}

/** 1 / √headWidth */
function scale({ shape: [, , width] }: Tensor3D, heads: number): number {
  return (width / heads) ** -0.5;
}
