/** x · W + b of weights, and what an adapter of W adds (lib/nn/lora.ts). Layers multiply with their matrices by it. */
import { add, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import type { Weight } from "../../tensor/weight.ts";
import { linearSplit } from "./linear.ts";

/** @param x [..., in] @param weight [out, in] as stored @returns [..., out] */
export function project<R extends Rank>(
  x: Tensor<R>,
  weight: Weight<Rank.R2>,
  bias: Weight<Rank.R1> | null,
): Tensor<R> {
  return projectSplit(1, x, weight, bias)[0]!;
}

/** `project` with its output split along the last axis into `parts` tensors of equal width. */
export function projectSplit<R extends Rank>(
  parts: number,
  x: Tensor<R>,
  weight: Weight<Rank.R2>,
  bias: Weight<Rank.R1> | null,
): Tensor<R>[] {
  const outputs = linearSplit(parts, x, weight.tensor, bias?.tensor);
  if (weight.adapter === null) return outputs;
  const deltas = weight.adapter.delta(x, parts);
  return outputs.map((output, i) => add(output, deltas[i]!));
}
