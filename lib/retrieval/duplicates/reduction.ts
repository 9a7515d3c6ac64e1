/**
 * Upper bounds of dot products in few dimensions. With an orthonormal basis P of a subspace and x⊥ what it leaves of x,
 *
 * x · y ≤ Px · Py + ‖x⊥‖ ‖y⊥‖ = r(x) · r(y) with r(x) = R [Px; ‖x⊥‖] for any orthogonal R.
 *
 * So pairs with r(x) · r(y) below a threshold need no further look. R spreads the large coordinates, those along the mean
 * and ‖x⊥‖, over all, which makes the error of int8 codes several times smaller.
 */
import { orthonormal } from "../../features/principal-components.ts";

/** Maps rows to fewer dimensions, of the same norm. */
export interface Reduction {
  /** The number of dimensions. */
  readonly width: number;
  /** [width, width of the rows]: R P */
  readonly matrix: Float64Array;
  /** [width]: what is added for each unit of ‖x⊥‖. */
  readonly rest: Float64Array;
}

/** Rounds of subspace iteration: the bounds hold for any basis, and after two it is good enough. */
const rounds = 2;

/**
 * Orthonormal directions in which a sample of rows has most of its norm.
 *
 * @param values [rows, width]
 * @returns at most `count` vectors
 */
export function principalBasis(values: Float32Array, width: number, count: number): Float64Array[] {
  const most = Math.min(count, width, values.length / width);
  let basis = randomBasis(most, width);
  for (let round = 0; round < rounds; round++) {
    const products = basis.map(() => new Float64Array(width));
    for (let start = 0; start < values.length; start += width) {
      const row = values.subarray(start, start + width);
      for (let c = 0; c < most; c++) {
        const [direction, product] = [basis[c]!, products[c]!];
        let dot = 0;
        for (let i = 0; i < width; i++) dot += row[i]! * direction[i]!;
        for (let i = 0; i < width; i++) product[i]! += dot * row[i]!;
      }
    }
    basis = orthonormal(products);
  }
  return basis;
}

/** A reduction to the directions of a basis, and one dimension for what they leave. */
export function reductionOf(directions: readonly Float64Array[]): Reduction {
  const from = directions[0]!.length;
  const rotation = randomBasis(directions.length + 1, directions.length + 1);
  const matrix = new Float64Array(rotation.length * from);
  for (const [i, shares] of rotation.entries()) {
    const sum = new Float64Array(from);
    for (const [c, direction] of directions.entries())
      for (let at = 0; at < from; at++) sum[at]! += shares[c]! * direction[at]!;
    matrix.set(sum, i * from);
  }
  return { width: rotation.length, matrix, rest: Float64Array.from(rotation, (shares) => shares.at(-1)!) };
}

/**
 * Reduces a row, in float64: the smaller ‖x⊥‖ is, the more of its digits cancel out.
 *
 * @param into [width]
 */
export function reduceRow({ width, matrix, rest }: Reduction, row: Float32Array, into: Float32Array): void {
  const from = row.length;
  let [whole, kept] = [0, 0];
  for (let i = 0; i < from; i++) whole += row[i]! * row[i]!;
  for (let c = 0; c < width; c++) {
    let dot = 0;
    for (let i = 0, at = c * from; i < from; i++) dot += matrix[at + i]! * row[i]!;
    into[c] = dot;
    kept += dot * dot;
  }
  const left = Math.sqrt(Math.max(0, whole - kept));
  for (let c = 0; c < width; c++) into[c]! += left * rest[c]!;
}

/** Orthonormal vectors, the same each time. */
function randomBasis(count: number, width: number): Float64Array[] {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return orthonormal(Array.from({ length: count }, () => Float64Array.from({ length: width }, next)));
}
