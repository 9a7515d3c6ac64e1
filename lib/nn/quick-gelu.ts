/**
 * QuickGELU(x) = x · σ(1.702 x), an approximation of GELU that OpenAI trained with. Weights that were trained with one
 * of the two give wrong results with the other.
 *
 * Source: open_clip/transformer.py, QuickGELU. No weights.
 */
import { mul, sigmoid, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { Module } from "./module.ts";

export class QuickGelu<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  protected forward(x: Tensor<R>): Tensor<R> {
    return mul(x, sigmoid(mul(x, 1.702)));
  }
}
