/**
 * GELU(x) = x · Φ(x), where Φ is the normal distribution function: the exact form, not the tanh approximation.
 *
 * Paper: Hendrycks, Gimpel, "Gaussian Error Linear Units", 2016 (arXiv 1606.08415). Source: torch.nn.GELU. No weights.
 */
import type { Rank, Tensor } from "@tensorflow/tfjs-core";
import { Module } from "./module.ts";
import { gelu } from "./operations/gelu.ts";

export class Gelu<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  protected forward(x: Tensor<R>): Tensor<R> {
    return gelu(x);
  }
}
