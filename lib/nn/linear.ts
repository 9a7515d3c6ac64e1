/**
 * y = x · Wᵀ + b
 *
 * Source: torch.nn.Linear. State dict: `weight` [out, in], `bias` [out].
 */
import {
  add,
  fused,
  getBackend,
  matMul,
  reshape,
  sum,
  transpose,
  type Rank,
  type ShapeMap,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import type { Weight, WeightScope } from "../tensor/weights.ts";
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
  const parts = inWidth / depthAtOnce;
  const product =
    getBackend() === "tensorflow" && Number.isInteger(parts) && parts > 1
      ? inParts(rows, weight, parts, bias)
      : fused.matMul({ a: rows, b: weight, ...(bias && { bias }) }); // [rows, out]
  return reshape(product, [...x.shape.slice(0, -1), outWidth] as number[] as ShapeMap[R]);
}

/**
 * How many products are summed in one go. TensorFlow adds them up one after another in float32, which loses the more
 * the longer the sum; a sum of shorter sums comes as near to float64 as PyTorch's (docs/parity.md).
 */
const depthAtOnce = 256;

/** a · b + bias, the products of columns of a with rows of b as a stack of matrices, and their sum. */
function inParts(a: Tensor2D, b: Tensor2D, parts: number, bias?: Tensor1D): Tensor2D {
  const left = transpose(reshape(a, [a.shape[0], parts, -1]), [1, 0, 2]); // [parts, rows, in / parts]
  const right = reshape(b, [parts, -1, b.shape[1]]); // [parts, in / parts, out]
  const product: Tensor2D = sum(matMul(left, right), 0); // [rows, out]
  return bias ? add(product, bias) : product;
}
