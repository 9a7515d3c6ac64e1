/**
 * Projects from XLM-R's width to the space shared with the images: y = W₂ · GELU(W₁ · x), without biases.
 *
 * Source: open_clip/hf_model.py, HFTextEncoder.proj. State dict: `0.weight` [hidden, width], `2.weight`
 * [embedDim, hidden], where hidden = ⌊(width + embedDim) / 2⌋.
 */
import type { Rank, Tensor2D } from "@tensorflow/tfjs-core";
import { Gelu } from "../../../nn/gelu.ts";
import { Linear } from "../../../nn/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";

export class MlpProjection extends Module<[x: Tensor2D], Tensor2D> {
  readonly expand: Linear<Rank.R2>;
  readonly gelu: Gelu<Rank.R2>;
  readonly contract: Linear<Rank.R2>;

  constructor(scope: WeightScope, width: number, embedDim: number) {
    super(scope);
    const hidden = Math.floor((width + embedDim) / 2);
    this.expand = new Linear(scope.at(0), width, hidden, { bias: false, isReadOut: true });
    this.gelu = new Gelu(scope.at(1));
    this.contract = new Linear(scope.at(2), hidden, embedDim, { bias: false, isReadOut: true });
  }

  /** @param x [B, width] @returns [B, embedDim] */
  protected forward(x: Tensor2D): Tensor2D {
    x = this.expand.apply(x); // [B, hidden]
    x = this.gelu.apply(x);
    return this.contract.apply(x); // [B, embedDim]
  }
}
