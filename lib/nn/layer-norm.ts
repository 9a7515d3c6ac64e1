/**
 * y = (x − mean) / √(variance + ε) · γ + β, with the mean and the biased variance over the last axis
 *
 * Paper: Ba, Kiros, Hinton, "Layer Normalization", 2016 (arXiv 1607.06450). Source: torch.nn.LayerNorm.
 * State dict: `weight` γ [width], `bias` β [width].
 */
import type { Rank, Tensor } from "@tensorflow/tfjs-core";
import type { WeightScope } from "../tensor/model-weights.ts";
import type { Weight } from "../tensor/weight.ts";
import { Module } from "./module.ts";
import { layerNorm } from "./operations/layer-norm.ts";

export class LayerNorm<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  readonly weight: Weight<Rank.R1>;
  readonly bias: Weight<Rank.R1>;
  readonly epsilon: number;

  constructor(scope: WeightScope, width: number, epsilon: number) {
    super(scope);
    this.weight = scope.get("weight", [width]);
    this.bias = scope.get("bias", [width]);
    this.epsilon = epsilon;
  }

  /** @param x [..., width] */
  protected forward(x: Tensor<R>): Tensor<R> {
    return layerNorm(x, this.weight.tensor, this.bias.tensor, this.epsilon);
  }
}
