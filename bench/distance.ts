import { compare } from "../lib/tensor/compare.ts";

/** The largest relative L2 distance between corresponding rows. */
export function farthest(rows: readonly Float32Array[], from: readonly Float32Array[]): number {
  return Math.max(...rows.map((row, at) => compare(row, from[at]!).relativeL2));
}
