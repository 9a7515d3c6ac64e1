/**
 * y = x̂ · γ + β, x̂ = (x − mean) / √(variance + ε), with the mean and the biased variance over the last axis.
 *
 * Derivative: γ̄ = Σ ȳ x̂, β̄ = Σ ȳ; with z = ȳ γ, x̄ = (z − mean(z) − x̂ mean(z x̂)) / √(variance + ε).
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
import { operation } from "./operation.ts";

export interface LayerNormInputs {
  /** [..., width] */
  readonly x: Tensor;
  /** [width] */
  readonly gamma: Tensor1D;
  /** [width] */
  readonly beta: Tensor1D;
}

export interface LayerNormAttributes {
  readonly epsilon: number;
}

const operate = operation<LayerNormInputs, LayerNormAttributes, Tensor>({
  name: "ClipscopeLayerNorm",
  inputs: ["x", "gamma", "beta"],
  compute: ({ x, gamma, beta }, { epsilon }) => add(mul(normalise(x, epsilon).normalised, gamma), beta),
  gradient: (dy, { x, gamma }, { epsilon }) => {
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
});

/**
 * Layer normalisation over the last axis.
 *
 * @param x [..., width]
 * @param gamma [width]
 * @param beta [width]
 */
export function layerNorm<R extends Rank>(
  x: Tensor<R>,
  gamma: Tensor1D,
  beta: Tensor1D,
  epsilon: number,
): Tensor<R> {
  return operate({ x, gamma, beta }, { epsilon }) as Tensor<R>;
}

/** x̂ [..., width], and 1 / √(variance + ε) [..., 1] */
function normalise(x: Tensor, epsilon: number): { normalised: Tensor; inverse: Tensor } {
  const centred = sub(x, mean(x, -1, true));
  const inverse = rsqrt(add(mean(square(centred), -1, true), epsilon));
  return { normalised: mul(centred, inverse), inverse };
}
