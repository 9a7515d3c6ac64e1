/** Products in reduced precision as the native kernels must compute them, in plain JavaScript. */
import { toFloat32 } from "../../lib/tensor/dtype.ts";
import { roundFloats } from "../../lib/tensor/rounding.ts";

/** A product x · wᵀ, with x [rows, depth] and w as stored, [columns, depth]. */
export interface Product {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
  readonly x: Float32Array;
  readonly w: Float32Array;
}

export function toBfloat16(values: Float32Array): Float32Array {
  return toFloat32("BF16", roundFloats("F32", "BF16", new Uint8Array(values.buffer.slice(0))).bytes);
}

/**
 * The exact float32 sums of a processor's instructions. Products of bfloat16 numbers have 16 bits, so that float64 adds
 * them to a float32 sum of similar size without an error, and one rounding follows, as in a fused multiply-add.
 *
 * @param isAmx AMX sums 16 even and 16 odd numbers separately, from 0, and adds both sums to the total. The others add one
 *   product after the other, of each pair the odd one first.
 */
export function bfloat16Product({ rows, depth, columns, x, w }: Product, isAmx: boolean): Float32Array {
  const [left, right] = [toBfloat16(x), toBfloat16(w)];
  const y = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const add = (sum: number, k: number): number =>
        k < depth ? Math.fround(sum + left[i * depth + k]! * right[j * depth + k]!) : sum;
      let sum = 0;
      for (let block = 0; block < depth; block += 32) {
        let [even, odd] = [0, 0];
        for (let k = block; k < block + 32; k += 2) {
          if (isAmx) [even, odd] = [add(even, k), add(odd, k + 1)];
          else sum = add(add(sum, k + 1), k);
        }
        if (isAmx) sum = Math.fround(sum + Math.fround(even + odd));
      }
      y[i * columns + j] = sum;
    }
  }
  return y;
}

/** A number of a row is an outlier if it is this many times larger than the row's mean magnitude. */
const outlierRatio = 8;
/** At most one of so many numbers is an outlier. */
const widthOfOutlier = 64;

/** Rounds to the nearest integer, to even at a tie. */
function nearest(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

/** The int8 scheme in float64: rows of x with outliers, columns of w. */
export function int8Product({ rows, depth, columns, x, w }: Product): Float64Array {
  const quantised = Float64Array.from({ length: columns * depth });
  for (let j = 0; j < columns; j++) {
    const column = w.subarray(j * depth, (j + 1) * depth);
    const most = largest(column);
    const inverse = most > 0 ? Math.fround(127 / most) : 0;
    for (const [k, value] of column.entries()) {
      quantised[j * depth + k] = nearest(Math.fround(value * inverse)) * Math.fround(most / 127);
    }
  }
  const y = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const row = quantisedRow(x.subarray(i * depth, (i + 1) * depth));
    for (let j = 0; j < columns; j++) {
      for (let k = 0; k < depth; k++) y[i * columns + j]! += row[k]! * quantised[j * depth + k]!;
    }
  }
  return y;
}

function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

function quantisedRow(row: Float32Array): Float64Array {
  const mean = row.reduce((sum, value) => sum + Math.abs(value), 0) / row.length;
  let threshold = outlierRatio * mean;
  const above = (): number => row.filter((value) => Math.abs(value) > threshold).length;
  while (above() * widthOfOutlier > row.length) threshold *= 2;
  const most = largest(row.filter((value) => Math.abs(value) <= threshold));
  const scale = Math.fround(most / 127);
  const inverse = scale > 0 ? Math.fround(1 / scale) : 0;
  return Float64Array.from(row, (value) =>
    Math.abs(value) > threshold ? value : nearest(Math.fround(value * inverse)) * scale,
  );
}
