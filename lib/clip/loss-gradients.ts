/** What both ways to compute the gradients of a loss (backward.ts) share. */
import { concat, gather, Tensor, tensor1d, tidy, type Scalar, type Tensor2D } from "@tensorflow/tfjs-core";
import { found } from "../errors/found.ts";
import { InputError } from "../errors/input-error.ts";
import { gradientsOf } from "../nn/backpropagate.ts";

/** The rows in batches of `size`, the shortest first, by their numbers. */
export function byLength(rows: readonly (readonly number[])[], size = rows.length): number[][] {
  const order = rows.map((_, i) => i);
  if (rows.length > size) order.sort((a, b) => rows[a]!.length - rows[b]!.length);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, b) =>
    order.slice(b * size, (b + 1) * size),
  );
}

/** Rows of several batches, which ran in the order `order`, in their original order. */
export function inOrder(batches: readonly Tensor2D[], order: readonly number[]): Tensor2D {
  if (batches.length === 1) return batches[0]!;
  const position = new Int32Array(order.length);
  for (const [at, row] of order.entries()) position[row] = at;
  return gather(concat([...batches], 0), tensor1d(position, "int32"));
}

/** @returns undefined for variables that the loss does not depend on */
export function differentiate(
  forward: () => Scalar,
  variables: Tensor[],
): { value: Tensor; gradients: (Tensor | undefined)[] } {
  const [value, ...gradients] = tidy(() => {
    const { value, gradients } = gradientsOf(forward, variables);
    return [value as Scalar, ...gradients] as [Scalar, ...(Tensor | undefined)[]];
  });
  return { value, gradients };
}

/** @throws InputError unless a loss returned a scalar */
export function scalarOf(loss: Scalar): Scalar {
  const given: unknown = loss;
  if (!(given instanceof Tensor)) {
    throw new InputError(`gradients: expected the loss to be a scalar tensor, found ${found(given)}`);
  }
  if (given.rank === 0) return loss;
  throw new InputError(`gradients: expected the loss to be a scalar, found a tensor [${given.shape}]`);
}
