/**
 * y = x · Wᵀ + b
 *
 * Source: torch.nn.Linear. State dict: `weight` [out, in], `bias` [out].
 */
import {
  concat,
  fused,
  matMul,
  reshape,
  split,
  sum,
  transpose,
  zeros,
  type Rank,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import type { Weight, WeightScope } from "../tensor/weights.ts";
import { kernel } from "./operations/operation.ts";
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
 * x · W + b over the last axis.
 *
 * @param x [..., in]; the output is [..., out]
 * @param weight [in, out]
 * @param bias [out]
 */
export function project<R extends Rank>(x: Tensor<R>, weight: Tensor2D, bias?: Tensor1D): Tensor<R> {
  return projectInto(1, x, weight, bias)[0]!;
}

/** `project` whose output is cut along its last axis into `parts` of one size. */
export function projectInto<R extends Rank>(
  parts: number,
  x: Tensor<R>,
  weight: Tensor2D,
  bias?: Tensor1D,
): Tensor<R>[] {
  return linear({ x, weight, bias: bias ?? zeros([0]) }, { parts }) as Tensor<R>[];
}

/** What `linear` takes: x [..., in], weight [in, out], bias [out], or without elements where there is none. */
export interface LinearInputs {
  readonly x: Tensor;
  readonly weight: Tensor2D;
  readonly bias: Tensor1D;
}

export interface LinearAttributes {
  readonly parts: number;
}

const linear = kernel<LinearInputs, LinearAttributes, Tensor[]>("ClipscopeLinear", ["x", "weight", "bias"], {
  compute: linearBy(
    ({ x, weight, bias }) => fused.matMul({ a: x, b: weight, ...(bias.size > 0 && { bias }) }) as Tensor2D,
  ),
  // Y = X · W + b: X̄ = Ȳ · Wᵀ, W̄ = Xᵀ · Ȳ, b̄ = the sum of Ȳ's rows
  gradient: (dy, { x, weight, bias }) => {
    const rows = rowsOf(concat([dy].flat(), -1)); // [rows, out]
    return {
      x: () => reshape(matMul(rows, weight, false, true), x.shape),
      weight: () => matMul(transpose(rowsOf(x)), rows),
      bias: () => (bias.size > 0 ? sum(rows, 0) : bias),
    };
  },
});

/** `linear` by a way to compute x · W + b with x [rows, in]. */
export function linearBy(
  product: (inputs: LinearInputs & { readonly x: Tensor2D }) => Tensor2D,
): (inputs: LinearInputs, attributes: LinearAttributes) => Tensor[] {
  return ({ x, weight, bias }, { parts }) => {
    const y = product({ x: rowsOf(x), weight, bias }); // [rows, out]
    return split(reshape(y, [...x.shape.slice(0, -1), weight.shape[1]]), parts, -1);
  };
}

/** Leading axes as one. */
function rowsOf(x: Tensor): Tensor2D {
  return reshape(x, [-1, x.shape.at(-1)!]);
}
