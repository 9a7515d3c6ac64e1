/**
 * y = (x − mean) / √(variance + ε) · γ + β, mean and (biased) variance over the last axis
 *
 * Paper: Ba, Kiros, Hinton, "Layer Normalization", 2016 (arXiv 1607.06450). Source: torch.nn.LayerNorm.
 * State dict: `weight` γ [width], `bias` β [width].
 */
import {
  add,
  mean,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  sum,
  type Rank,
  type Tensor,
  type Tensor1D,
} from "@tensorflow/tfjs-core";
import type { Weight, WeightScope } from "../tensor/weights.ts";
import { kernel } from "./operations/operation.ts";
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
    const { epsilon } = this;
    return layerNorm({ x, gamma: this.weight.tensor, beta: this.bias.tensor }, { epsilon }) as Tensor<R>;
  }
}

export interface LayerNormInputs {
  readonly x: Tensor;
  readonly gamma: Tensor1D;
  readonly beta: Tensor1D;
}

const layerNorm = kernel<LayerNormInputs, { readonly epsilon: number }, Tensor>(
  "ClipscopeLayerNorm",
  ["x", "gamma", "beta"],
  {
    compute: ({ x, gamma, beta }, { epsilon }) => add(mul(normalise(x, epsilon).normalised, gamma), beta),
    // With x̂ = (x − mean) / deviation: γ̄ = Σ ȳ x̂, β̄ = Σ ȳ, and from z = ȳ γ, x̄ = (z − mean(z) − x̂ mean(z x̂)) / deviation
    gradient: (dy, { x, gamma }, _, { epsilon }) => {
      const { normalised, inverse } = normalise(x, epsilon);
      const width = gamma.size;
      return {
        x: () => {
          const z = mul(dy, gamma);
          const along = mul(normalised, mean(mul(z, normalised), -1, true));
          return mul(sub(sub(z, mean(z, -1, true)), along), inverse);
        },
        gamma: () => sum(reshape(mul(dy, normalised), [-1, width]), 0),
        beta: () => sum(reshape(dy, [-1, width]), 0),
      };
    },
  },
);

/** (x − mean) / √(variance + ε) [..., width], and 1 / √(variance + ε) [..., 1] */
function normalise(x: Tensor, epsilon: number): { normalised: Tensor; inverse: Tensor } {
  const centred = sub(x, mean(x, -1, true));
  const inverse = rsqrt(add(mean(square(centred), -1, true), epsilon));
  return { normalised: mul(centred, inverse), inverse };
}
