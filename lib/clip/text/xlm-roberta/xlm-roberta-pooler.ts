/**
 * y = tanh(dense(hidden state of `<s>`)), XLM-RoBERTa's own pooler, which open_clip's cls_pooler reads.
 *
 * Source: transformers/models/xlm_roberta, XLMRobertaPooler. State dict: `dense.weight` [width, width], `dense.bias`
 * [width].
 */
import type { Rank, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import { Linear } from "../../../nn/linear.ts";
import { Module } from "../../../nn/module.ts";
import { Tanh } from "../../../nn/tanh.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import { firstToken } from "./pooler.ts";

export class XlmRobertaPooler extends Module<[hidden: Tensor3D], Tensor2D> {
  readonly dense: Linear<Rank.R2>;
  readonly activation: Tanh<Rank.R2>;

  constructor(scope: WeightScope, width: number) {
    super(scope);
    this.dense = new Linear(scope.at("dense"), width, width, { bias: true });
    this.activation = new Tanh(scope.at("activation"));
  }

  /** @param hidden [B, L, width] @returns [B, width] */
  protected forward(hidden: Tensor3D): Tensor2D {
    return this.activation.apply(this.dense.apply(firstToken(hidden)));
  }
}
