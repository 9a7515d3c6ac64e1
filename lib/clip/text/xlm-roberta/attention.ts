/**
 * x ← LayerNorm(x + dense(selfAttention(x)))
 *
 * Source: transformers/models/xlm_roberta, XLMRobertaAttention. State dict: `self.*`, `output.*`.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { Module } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { XlmRobertaConfig } from "../../config/clip-config.ts";
import { XlmRobertaOutput } from "./output.ts";
import { XlmRobertaSelfAttention } from "./self-attention.ts";

export class XlmRobertaAttention extends Module<[x: Tensor3D, mask?: Tensor4D], Tensor3D> {
  readonly self: XlmRobertaSelfAttention;
  readonly output: XlmRobertaOutput;

  constructor(scope: WeightScope, config: XlmRobertaConfig) {
    super(scope);
    this.self = new XlmRobertaSelfAttention(scope.at("self"), config);
    this.output = new XlmRobertaOutput(scope.at("output"), config.width, config);
  }

  /** @param x [B, L, width] @param mask [B, 1, 1, L], added to the attention scores */
  protected forward(x: Tensor3D, mask?: Tensor4D): Tensor3D {
    return this.output.apply(this.self.apply(x, mask), x);
  }
}
