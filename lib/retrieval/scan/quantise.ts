/** Vectors as integers: rows as int8 with a scale each, queries as int16. */
import { InputError } from "../../errors/input-error.ts";

const largestCode = 127;

/** A row's scale and the norm of what rounding changed. */
export interface QuantisedRow {
  /** row ≈ scale · codes */
  readonly scale: number;
  /** ‖row − scale · codes‖: a bound for the error of its dot product with a vector of norm 1. */
  readonly error: number;
  /** ‖row‖ */
  readonly norm: number;
}

/**
 * Writes a row's codes. A scale per row, and not per dimension, keeps recall where few dimensions have large values, as
 * CLIP's embeddings do.
 *
 * @returns null if the row has a number that is not finite
 */
export function quantiseRow(row: Float32Array, codes: Int8Array): QuantisedRow | null {
  let largest = 0;
  for (let i = 0; i < row.length; i++) {
    const size = Math.abs(row[i]!);
    if (!(size < Infinity)) return null;
    if (size > largest) largest = size;
  }
  // As it is stored, so that the error is that of the stored numbers.
  const scale = Math.fround(largest / largestCode);
  const inverse = scale === 0 ? 0 : 1 / scale;
  let [squares, errors] = [0, 0];
  for (let i = 0; i < row.length; i++) {
    const value = row[i]!;
    const scaled = value * inverse;
    const code = scaled < 0 ? -((0.5 - scaled) | 0) : (scaled + 0.5) | 0;
    const clamped = code > largestCode ? largestCode : code < -largestCode ? -largestCode : code;
    codes[i] = clamped;
    const error = value - clamped * scale;
    squares += value * value;
    errors += error * error;
  }
  return { scale, error: Math.sqrt(errors), norm: Math.sqrt(squares) };
}

/** A query whose numbers are integers of 16 bits. */
export interface QuantisedQuery {
  /** query ≈ scale · codes */
  readonly codes: Int16Array;
  readonly scale: number;
  /** ‖query − scale · codes‖ */
  readonly error: number;
  readonly norm: number;
}

/**
 * A query as int16: as fine as int32 sums allow, whatever the rows are. |Σ query · row| ≤ 127 Σ |query| < 2³¹.
 *
 * @param width padded
 * @throws InputError for numbers that are not finite
 */
export function quantiseQuery(query: ArrayLike<number>, width: number): QuantisedQuery {
  let [largest, sum] = [0, 0];
  for (let i = 0; i < query.length; i++) {
    const size = Math.abs(query[i]!);
    if (!(size < Infinity)) throw new InputError(`query: expected finite numbers, found ${query[i]} at ${i}`);
    largest = Math.max(largest, size);
    sum += size;
  }
  const codes = new Int16Array(width);
  if (largest === 0) return { codes, scale: 0, error: 0, norm: 0 };
  // Rounding adds up to a half to each of the numbers.
  const room = 2 ** 31 / largestCode - query.length;
  const inverse = Math.min(32767 / largest, room / sum);
  let [errors, squares] = [0, 0];
  for (let i = 0; i < query.length; i++) {
    const code = Math.round(query[i]! * inverse);
    codes[i] = code;
    const error = query[i]! - code / inverse;
    errors += error * error;
    squares += query[i]! * query[i]!;
  }
  return { codes, scale: 1 / inverse, error: Math.sqrt(errors), norm: Math.sqrt(squares) };
}
