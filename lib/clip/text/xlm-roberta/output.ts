/**
 * y = LayerNorm(residual + dense(x)), the end of both halves of a layer: a projection to the width, the residual sum,
 * and the norm.
 *
 * Source: transformers/models/xlm_roberta, XLMRobertaSelfOutput and XLMRobertaOutput.
 * State dict: `dense.weight` [width, inWidth], `dense.bias` [width], `LayerNorm.*`.
 */
import { add, type Tensor3D } from "@tensorflow/tfjs-core";
import { LayerNorm } from "../../../nn/layer-norm.ts";
import { Linear } from "../../../nn/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { XlmRobertaConfig } from "../../config/clip-config.ts";

export class XlmRobertaOutput extends Module<[x: Tensor3D, residual: Tensor3D], Tensor3D> {
  readonly dense: Linear;
  readonly layerNorm: LayerNorm;

  constructor(scope: WeightScope, inWidth: number, { width, layerNormEpsilon }: XlmRobertaConfig) {
    super(scope);
    this.dense = new Linear(scope.at("dense"), inWidth, width, { bias: true });
    this.layerNorm = new LayerNorm(scope.at("LayerNorm"), width, layerNormEpsilon);
  }

  /** @param x [B, L, inWidth] @param residual [B, L, width] */
  protected forward(x: Tensor3D, residual: Tensor3D): Tensor3D {
    return this.layerNorm.apply(add(this.dense.apply(x), residual));
  }
}
