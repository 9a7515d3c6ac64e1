/**
 * A tap in a few thousand numbers: what a card or an inspector draws without the tap's values.
 *
 * Computed from values in memory, in two loops. The same in operations of tfjs takes 4 to 20 times as long on wasm and as
 * long on tensorflow's CPU (values [1, 257, 1280] to [1, 16, 257, 257]), and a trace that is kept needs the values anyway.
 */
import type { Statistics } from "../tensor/statistics.ts";

/** Bars of a histogram. */
export const histogramBins = 64;

/** The longest edge of a thumbnail, in cells. */
const thumbnailEdge = 48;

/** A matrix of numbers, row by row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

/** A tap in a few hundred numbers. */
export interface TapSummary {
  readonly name: string;
  readonly shape: readonly number[];
  /** NaN or infinite if one of the values is. */
  readonly statistics: Statistics;
  /** Of the finite values, as is `max`. */
  readonly min: number;
  readonly max: number;
  /** How many values are NaN or infinite. */
  readonly notFinite: number;
  /** Counts of the finite values in equal intervals from `min` to `max`. */
  readonly histogram: readonly number[];
  /** L2 norm of each token's vector, for taps [1, L, D]; null for others. */
  readonly tokenNorms: ArrayLike<number> | null;
  /** Means of equal blocks of the tap's matrix (see `matrixOf`). */
  readonly thumbnail: Matrix;
}

/**
 * Summarises a tap of one input.
 *
 * @param shape of one image or text: [1, …], or [1] and [] for scalars
 */
export function summarizeTap(name: string, shape: readonly number[], values: Float32Array): TapSummary {
  const isTokens = shape.length === 3;
  const columns = isTokens ? shape[2]! : values.length;
  const sums = sumsOf(values, isTokens ? shape[1]! : 1, columns);
  const { min, max, notFinite } = Number.isFinite(sums.squares)
    ? { ...sums, notFinite: 0 }
    : finiteRange(values);
  const mean = sums.sum / values.length;
  const { second, fourth, histogram } = spreadOf(values, mean, min, max);
  const variance = second / values.length;
  return {
    name,
    shape,
    statistics: {
      mean,
      std: Math.sqrt(variance),
      norm: Math.sqrt(sums.squares),
      kurtosis: fourth / values.length / variance ** 2,
      zeros: sums.zeros / values.length,
    },
    min,
    max,
    notFinite,
    histogram,
    tokenNorms: isTokens ? sums.rowNorms : null,
    thumbnail: isTokens ? sums.thumbnail : thumbnailOf(matrixOf(shape, values)),
  };
}

/** What one loop over a matrix finds. */
interface Sums {
  readonly sum: number;
  readonly squares: number;
  readonly zeros: number;
  readonly min: number;
  readonly max: number;
  readonly rowNorms: Float32Array;
  readonly thumbnail: Matrix;
}

function sumsOf(values: Float32Array, rows: number, columns: number): Sums {
  const [height, width] = [Math.min(rows, thumbnailEdge), Math.min(columns, thumbnailEdge)];
  const ends = Array.from({ length: width }, (_, i) => endOf(i, width, columns));
  const cells = new Float64Array(height * width);
  const rowNorms = new Float32Array(rows);
  let [sum, squares, zeros, min, max] = [0, 0, 0, Infinity, -Infinity];
  let at = 0;
  for (let row = 0, y = 0; row < rows; row++) {
    if (row >= endOf(y, height, rows)) y++;
    const rowStart = at;
    let rowSquares = 0;
    for (let x = 0; x < width; x++) {
      const end = rowStart + ends[x]!;
      let cell = 0;
      for (; at < end; at++) {
        const value = values[at]!;
        cell += value;
        rowSquares += value * value;
        if (value === 0) zeros++;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      cells[y * width + x]! += cell;
      sum += cell;
    }
    squares += rowSquares;
    rowNorms[row] = Math.sqrt(rowSquares);
  }
  for (let i = 0; i < cells.length; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    cells[i]! /=
      (endOf(y, height, rows) - endOf(y - 1, height, rows)) * (ends[x]! - endOf(x - 1, width, columns));
  }
  const thumbnail = { rows: height, columns: width, values: Float32Array.from(cells) };
  return { sum, squares, zeros, min, max, rowNorms, thumbnail };
}

/** Where the `i`-th of `parts` nearly equal parts of `length` ends. */
function endOf(i: number, parts: number, length: number): number {
  return Math.floor(((i + 1) * length) / parts);
}

/** Sums of the second and the fourth power of the differences from the mean, and the histogram. */
function spreadOf(
  values: Float32Array,
  mean: number,
  min: number,
  max: number,
): { readonly second: number; readonly fourth: number; readonly histogram: number[] } {
  const perUnit = max > min ? histogramBins / (max - min) : 0;
  const counts = new Float64Array(histogramBins + 1);
  let [second, fourth] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const square = (value - mean) * (value - mean);
    second += square;
    fourth += square * square;
    if (value >= min && value <= max) counts[Math.floor((value - min) * perUnit)]!++;
  }
  counts[histogramBins - 1]! += counts[histogramBins]!; // the largest value
  return { second, fourth, histogram: Array.from(counts.subarray(0, histogramBins)) };
}

function finiteRange(values: Float32Array): Pick<TapSummary, "min" | "max" | "notFinite"> {
  const finite = values.filter(Number.isFinite);
  const [min, max] = rangeOf(finite);
  return { min, max, notFinite: values.length - finite.length };
}

/** The smallest and the largest value. */
export function rangeOf(values: ArrayLike<number>): readonly [min: number, max: number] {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}

/**
 * A tap as a matrix:
 * - [1, L, D]: a row per token;
 * - [1, H, L, L], attention: the mean over heads, a row per query;
 * - [1, C, h, w], images: the L2 norm over channels;
 * - others: one row.
 */
export function matrixOf(shape: readonly number[], values: Float32Array): Matrix {
  if (shape.length === 3) return { rows: shape[1]!, columns: shape[2]!, values };
  if (shape.length !== 4) return { rows: 1, columns: values.length, values };
  const [, channels, rows, columns] = shape as [number, number, number, number];
  const size = rows * columns;
  const isAttention = rows === columns && channels < rows;
  const merged = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++)
      sum += isAttention ? values[c * size + i]! : values[c * size + i]! ** 2;
    merged[i] = isAttention ? sum / channels : Math.sqrt(sum);
  }
  return { rows, columns, values: merged };
}

/** Means of blocks, at most `thumbnailEdge` along each axis. */
export function thumbnailOf({ rows, columns, values }: Matrix): Matrix {
  return sumsOf(Float32Array.from(values), rows, columns).thumbnail;
}
