/**
 * y = GELU(dense(x)), the expanding half of the MLP. The contracting half is in output.ts.
 *
 * Source: transformers/models/xlm_roberta, XLMRobertaIntermediate. State dict: `dense.weight` [mlpWidth, width],
 * `dense.bias` [mlpWidth].
 */
import type { Tensor3D } from "@tensorflow/tfjs-core";
import { Gelu } from "../../../nn/gelu.ts";
import { Linear } from "../../../nn/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { XlmRobertaConfig } from "../../config/clip-config.ts";

export class XlmRobertaIntermediate extends Module<[x: Tensor3D], Tensor3D> {
  readonly dense: Linear;
  readonly activation: Gelu;

  constructor(scope: WeightScope, { width, mlpWidth }: XlmRobertaConfig) {
    super(scope);
    this.dense = new Linear(scope.at("dense"), width, mlpWidth, { bias: true });
    this.activation = new Gelu(scope.at("intermediate_act_fn"));
  }

  /** @param x [B, L, width] @returns [B, L, mlpWidth] */
  protected forward(x: Tensor3D): Tensor3D {
    return this.activation.apply(this.dense.apply(x));
  }
}
