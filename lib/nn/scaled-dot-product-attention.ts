/**
 * Attention(Q, K, V) = softmax(Q · Kᵀ / √headWidth + mask) · V, in each head.
 *
 * Paper: Vaswani et al., "Attention Is All You Need", 2017 (arXiv 1706.03762), section 3.2.1.
 * Source: torch.nn.functional.scaled_dot_product_attention. No weights.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { tap } from "../tensor/taps.ts";
import type { WeightScope } from "../tensor/model-weights.ts";
import { attentionContext } from "./operations/attention-context.ts";
import { attentionProbabilities } from "./operations/attention-probabilities.ts";

/**
 * What a mask adds to the score of a key that a query must not attend to: exp(score + maskedScore) is 0 in float32, and
 * the sum stays finite, so that a row without any key does not give NaN.
 */
export const maskedScore = -1e9;

/**
 * Attention of several heads. Emits the tap `#probabilities` [B, heads, L, L] of the module that calls it.
 *
 * @param scope the calling module's
 * @param query [B, L, heads · headWidth]
 * @param key as the query
 * @param value as the query
 * @param mask added to the scores (0 or `maskedScore`); four axes that broadcast to [B, heads, L, L]
 * @returns [B, L, heads · headWidth]
 */
export function scaledDotProductAttention(
  scope: WeightScope,
  heads: number,
  query: Tensor3D,
  key: Tensor3D,
  value: Tensor3D,
  mask?: Tensor4D,
): Tensor3D {
  const { precision } = scope;
  const probabilities = attentionProbabilities(heads, query, key, mask, precision); // [B, heads, L, L]
  return attentionContext(tap(`${scope.path}#probabilities`, probabilities), value, precision);
}
