/**
 * y = (x − mean) / √(variance + ε) · γ + β, mean and (biased) variance over the last axis
 *
 * Paper: Ba, Kiros, Hinton, "Layer Normalization", 2016 (arXiv 1607.06450). Source: torch.nn.LayerNorm.
 * State dict: `weight` γ [width], `bias` β [width].
 */
import { add, mean, mul, rsqrt, square, sub, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import type { Weight, WeightScope } from "../tensor/weights.ts";
import { Module } from "./module.ts";

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
    const centred = sub(x, mean(x, -1, true));
    const variance = mean(square(centred), -1, true); // [..., 1]
    const normalised = mul(centred, rsqrt(add(variance, this.epsilon))); // [..., width]
    return add(mul(normalised, this.weight.tensor), this.bias.tensor);
  }
}
