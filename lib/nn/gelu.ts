/**
 * GELU(x) = x · Φ(x) = x · (1 + erf(x / √2)) / 2, Φ the normal distribution function: the exact form, not the tanh one.
 * QuickGELU(x) = x · σ(1.702 x), OpenAI's approximation; weights trained with one are wrong with the other.
 *
 * Paper: Hendrycks, Gimpel, "Gaussian Error Linear Units", 2016 (arXiv 1606.08415).
 * Source: torch.nn.GELU; open_clip/transformer.py, QuickGELU. No weights.
 */
import { add, erf, exp, mul, sigmoid, square, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { kernel } from "./operations/operation.ts";
import { Module } from "./module.ts";

export class Gelu<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  protected forward(x: Tensor<R>): Tensor<R> {
    return gelu({ x }, {}) as Tensor<R>;
  }
}

export class QuickGelu<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  protected forward(x: Tensor<R>): Tensor<R> {
    return mul(x, sigmoid(mul(x, 1.702)));
  }
}

const gelu = kernel<{ readonly x: Tensor }, object, Tensor>("ClipscopeGelu", ["x"], {
  compute: ({ x }) => mul(x, normalDistribution(x)),
  // GELU′ = Φ + x φ, φ(x) = e^(−x²/2) / √2π
  gradient: (dy, { x }) => ({
    x: () => {
      const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return mul(dy, add(normalDistribution(x), mul(x, density)));
    },
  }),
});

/** Φ(x) = (1 + erf(x / √2)) / 2 */
function normalDistribution(x: Tensor): Tensor {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
}
