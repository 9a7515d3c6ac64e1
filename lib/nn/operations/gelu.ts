/**
 * GELU(x) = x · Φ(x), Φ(x) = (1 + erf(x / √2)) / 2.
 *
 * Derivative: GELU′ = Φ + x φ, with the density φ(x) = e^(−x²/2) / √2π.
 */
import { add, erf, exp, mul, square, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { operation } from "./operation.ts";

export interface GeluInputs {
  readonly x: Tensor;
}

const operate = operation<GeluInputs, object, Tensor>({
  name: "ClipscopeGelu",
  inputs: ["x"],
  compute: ({ x }) => mul(x, normalDistribution(x)),
  gradient: (dy, { x }) => ({
    x: () => {
      const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return mul(dy, add(normalDistribution(x), mul(x, density)));
    },
  }),
});

/** GELU of each element, in the exact form. */
export function gelu<R extends Rank>(x: Tensor<R>): Tensor<R> {
  return operate({ x }, {}) as Tensor<R>;
}

/** Φ(x) = (1 + erf(x / √2)) / 2 */
function normalDistribution(x: Tensor): Tensor {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
}
