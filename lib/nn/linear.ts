/**
 * y = x · Wᵀ + b
 *
 * Source: torch.nn.Linear. State dict: `weight` [out, in], `bias` [out].
 */
import {
  fused,
  matMul,
  reshape,
  sum,
  transpose,
  zeros,
  type Rank,
  type ShapeMap,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import type { Weight, WeightScope } from "../tensor/weights.ts";
import { kernel } from "./kernel.ts";
import { Module } from "./module.ts";

export class Linear<R extends Rank = Rank.R3> extends Module<[x: Tensor<R>], Tensor<R>> {
  readonly weight: Weight<Rank.R2>;
  readonly bias: Weight<Rank.R1> | null;

  constructor(scope: WeightScope, inWidth: number, outWidth: number, options: { readonly bias: boolean }) {
    super(scope);
    this.weight = scope.get("weight", [outWidth, inWidth], "linear");
    this.bias = options.bias ? scope.get("bias", [outWidth]) : null;
  }

  /** @param x [..., in]; the output is [..., out] */
  protected forward(x: Tensor<R>): Tensor<R> {
    return project(x, this.weight.tensor, this.bias?.tensor);
  }
}

/**
 * x · W + b over the last axis, as one matrix product: leading axes are folded into rows.
 *
 * @param x [..., in]
 * @param weight [in, out]
 * @param bias [out]
 */
export function project<R extends Rank>(x: Tensor<R>, weight: Tensor2D, bias?: Tensor1D): Tensor<R> {
  const [inWidth, outWidth] = weight.shape;
  const rows: Tensor2D = reshape(x, [-1, inWidth]); // [rows, in]
  const product = linear({ x: rows, weight, bias: bias ?? zeros([0]) }, {}); // [rows, out]
  return reshape(product, [...x.shape.slice(0, -1), outWidth] as number[] as ShapeMap[R]);
}

/** What `linear` takes: x [rows, in], weight [in, out], bias [out], or without elements where there is none. */
export interface LinearInputs {
  readonly x: Tensor2D;
  readonly weight: Tensor2D;
  readonly bias: Tensor1D;
}

const linear = kernel<LinearInputs, object, Tensor2D>("ClipscopeLinear", ["x", "weight", "bias"], {
  compute: ({ x, weight, bias }) =>
    fused.matMul({ a: x, b: weight, ...(bias.size > 0 && { bias }) }) as Tensor2D,
  // Y = X · W + b: X̄ = Ȳ · Wᵀ, W̄ = Xᵀ · Ȳ, b̄ = the sum of Ȳ's rows
  gradient: (dy, { x, weight, bias }) => ({
    x: () => matMul(dy, weight, false, true),
    weight: () => matMul(transpose(x), dy),
    bias: () => (bias.size > 0 ? sum(dy, 0) : bias),
  }),
});
