/**
 * y = x · Wᵀ + b
 *
 * Source: torch.nn.Linear. State dict: `weight` [out, in], `bias` [out].
 */
import type { Rank, Tensor } from "@tensorflow/tfjs-core";
import type { WeightScope } from "../tensor/model-weights.ts";
import type { Weight } from "../tensor/weight.ts";
import { Module } from "./module.ts";
import { project } from "./operations/project.ts";

export class Linear<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  readonly weight: Weight<Rank.R2>;
  readonly bias: Weight<Rank.R1> | null;

  /** @param options.isReadOut whether it is one of the last products before an embedding */
  constructor(
    scope: WeightScope,
    inWidth: number,
    outWidth: number,
    options: { readonly bias: boolean; readonly isReadOut?: boolean },
  ) {
    super(scope);
    const layout = options.isReadOut === true ? "readOut" : "linear";
    this.weight = scope.get("weight", [outWidth, inWidth], layout);
    this.bias = options.bias ? scope.get("bias", [outWidth]) : null;
  }

  /** @param x [..., in] @returns [..., out] */
  protected forward(x: Tensor<R>): Tensor<R> {
    return project(x, this.weight, this.bias);
  }
}
