/**
 * x · W + b over the last axis; the output may be split along it into parts of equal width.
 *
 * Derivative of Y = X · W + b: X̄ = Ȳ · Wᵀ, W̄ = Xᵀ · Ȳ, b̄ = the sum of the rows of Ȳ.
 */
import {
  concat,
  fused,
  matMul,
  reshape,
  split,
  sum,
  transpose,
  type Rank,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { operation, type OperationSignature } from "./operation.ts";

export interface LinearInputs {
  /** [..., in] */
  readonly x: Tensor;
  /** [in, out] */
  readonly weight: Tensor2D;
  /** [out] */
  readonly bias?: Tensor1D | undefined;
}

export interface LinearAttributes {
  /** The number of tensors that the output is split into. */
  readonly parts: number;
}

export const linearSignature: OperationSignature<LinearInputs> = {
  name: "ClipscopeLinear",
  inputs: ["x", "weight", "bias"],
};

const operate = operation<LinearInputs, LinearAttributes, Tensor[]>({
  ...linearSignature,
  compute: linearBy(
    ({ x, weight, bias }) => fused.matMul({ a: x, b: weight, ...(bias && { bias }) }) as Tensor2D,
  ),
  gradient: (dy, { x, weight }) => {
    const rows = rowsOf(concat([dy].flat(), -1)); // [rows, out]; tfjs gives a list only for several outputs
    return {
      x: () => reshape(matMul(rows, weight, false, true), x.shape),
      weight: () => matMul(transpose(rowsOf(x)), rows),
      bias: () => sum(rows, 0),
    };
  },
});

/**
 * x · W + b
 *
 * @param x [..., in]
 * @param weight [in, out]
 * @param bias [out]
 * @returns [..., out]
 */
export function linear<R extends Rank>(x: Tensor<R>, weight: Tensor2D, bias?: Tensor1D): Tensor<R> {
  return linearSplit(1, x, weight, bias)[0]!;
}

/** `linear` with its output split along the last axis into `parts` tensors of equal width. */
export function linearSplit<R extends Rank>(
  parts: number,
  x: Tensor<R>,
  weight: Tensor2D,
  bias?: Tensor1D,
): Tensor<R>[] {
  return operate({ x, weight, bias }, { parts }) as Tensor<R>[];
}

/** The operation, given a way to compute x · W + b for x [rows, in]. */
export function linearBy(
  product: (inputs: LinearInputs & { readonly x: Tensor2D }) => Tensor2D,
): (inputs: LinearInputs, attributes: LinearAttributes) => Tensor[] {
  return ({ x, weight, bias }, { parts }) => {
    const y = product({ x: rowsOf(x), weight, bias }); // [rows, out]
    return split(reshape(y, [...x.shape.slice(0, -1), weight.shape[1]]), parts, -1);
  };
}

/** All leading axes as one. */
function rowsOf(x: Tensor): Tensor2D {
  return reshape(x, [-1, x.shape.at(-1)!]);
}
