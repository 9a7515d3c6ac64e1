/** Inputs and float64 references for the network's operations. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { grads, type Tensor } from "@tensorflow/tfjs-core";
import { compare } from "../../lib/tensor/compare.ts";
import { syntheticValues } from "../../lib/tensor/synthetic.ts";

/** For fast-check: few runs, and the same ones each time. */
export const propertyRuns = { numRuns: 40, seed: 20 };

/** Sizes from 1 to `most`. */
export function size(most: number): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max: most });
}

/** Numbers of mean 0 and variance 1. Each seed gives its own. */
export function numbers(seed: string, count: number): Float32Array {
  return syntheticValues("input.image", [count], seed.length * 7919, count);
}

export function assertClose(ours: Tensor, expected: ArrayLike<number>, what: string, tolerance = 2e-6): void {
  const { relativeL2 } = compare(ours.dataSync(), expected);
  assert.ok(relativeL2 < tolerance, `${what}: relative L2 ${relativeL2}`);
}

/** [rows, columns] of sums over `depth` terms, in float64. */
export function products(
  [rows, columns, depth]: readonly [number, number, number],
  term: (row: number, column: number, k: number) => number,
): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    let total = 0;
    for (let k = 0; k < depth; k++) total += term(Math.floor(at / columns), at % columns, k);
    return total;
  });
}

/** The gradient with respect to each input. @param dy the gradient with respect to the output */
export function gradientsOf(
  run: (...inputs: never[]) => Tensor,
  inputs: readonly Tensor[],
  dy: Tensor,
): Tensor[] {
  return grads(run as (...inputs: Tensor[]) => Tensor)([...inputs], dy);
}
