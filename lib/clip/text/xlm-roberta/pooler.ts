/**
 * Reduces one hidden state per token to one vector per text: the mean over all tokens (`<s>` and `</s>` included,
 * padding not), or the hidden state of `<s>`.
 *
 * Source: open_clip/hf_model.py, MeanPooler and ClsLastHiddenStatePooler. No weights.
 */
import { div, mul, reshape, slice, sum, tensor3d, type Tensor2D, type Tensor3D } from "@tensorflow/tfjs-core";
import { Module } from "../../../nn/module.ts";
import type { TokenBatch } from "../token-batch.ts";

export class MeanPooler extends Module<[hidden: Tensor3D, batch: TokenBatch], Tensor2D> {
  /** @param hidden [B, L, width] @returns [B, width] */
  protected forward(hidden: Tensor3D, { mask, tokens: { shape } }: TokenBatch): Tensor2D {
    const weights = tensor3d(mask, [...shape, 1]); // [B, L, 1]
    return div(sum(mul(hidden, weights), 1), sum(weights, 1)); // [B, width] / [B, 1]
  }
}

export class ClsLastHiddenStatePooler extends Module<[hidden: Tensor3D], Tensor2D> {
  /** @param hidden [B, L, width] @returns [B, width] */
  protected forward(hidden: Tensor3D): Tensor2D {
    return firstToken(hidden);
  }
}

/** [B, L, width] → [B, width] */
export function firstToken(hidden: Tensor3D): Tensor2D {
  const [batch, , width] = hidden.shape;
  return reshape(slice(hidden, [0, 0, 0], [batch, 1, width]), [batch, width]);
}
