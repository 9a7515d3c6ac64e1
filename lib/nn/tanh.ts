/** y = tanh(x). Source: torch.nn.Tanh. No weights. */
import { tanh, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { Module } from "./module.ts";

export class Tanh<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  protected forward(x: Tensor<R>): Tensor<R> {
    return tanh(x);
  }
}
