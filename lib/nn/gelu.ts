/**
 * GELU(x) = x · Φ(x) = x · (1 + erf(x / √2)) / 2, Φ the normal distribution function: the exact form, not the tanh one.
 * QuickGELU(x) = x · σ(1.702 x), OpenAI's approximation; weights trained with one are wrong with the other.
 *
 * Paper: Hendrycks, Gimpel, "Gaussian Error Linear Units", 2016 (arXiv 1606.08415).
 * Source: torch.nn.GELU; open_clip/transformer.py, QuickGELU. No weights.
 */
import { add, erf, mul, sigmoid, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { Module } from "./module.ts";

export class Gelu<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  protected forward(x: Tensor<R>): Tensor<R> {
    const phi = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
    return mul(x, phi);
  }
}

export class QuickGelu<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  protected forward(x: Tensor<R>): Tensor<R> {
    return mul(x, sigmoid(mul(x, 1.702)));
  }
}
