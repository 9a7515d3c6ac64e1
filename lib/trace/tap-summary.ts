/** A tap in a few hundred numbers: what a card or an inspector draws without the tap's values. */
import { statistics, type Statistics } from "../tensor/statistics.ts";

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

export interface TapSummary {
  readonly name: string;
  readonly shape: readonly number[];
  readonly statistics: Statistics;
  readonly min: number;
  readonly max: number;
  /** Counts of values in equal intervals from `min` to `max`. */
  readonly histogram: readonly number[];
  /** L2 norm of each token's vector, for taps [1, L, D]; null for others. */
  readonly tokenNorms: readonly number[] | null;
  /** Means of equal blocks of the tap's matrix (see `matrixOf`). */
  readonly thumbnail: Matrix;
}

/**
 * Summarises a tap of one input.
 *
 * @param shape of one image or text: [1, …], or [1] and [] for scalars
 */
export function summarizeTap(name: string, shape: readonly number[], values: Float32Array): TapSummary {
  const [min, max] = rangeOf(values);
  return {
    name,
    shape,
    statistics: statistics(values),
    min,
    max,
    histogram: histogramOf(values, min, max),
    tokenNorms: shape.length === 3 ? tokenNorms(shape, values) : null,
    thumbnail: thumbnailOf(matrixOf(shape, values)),
  };
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

function histogramOf(values: ArrayLike<number>, min: number, max: number): number[] {
  const counts = new Array<number>(histogramBins).fill(0);
  const perUnit = max > min ? histogramBins / (max - min) : 0;
  for (let i = 0; i < values.length; i++) {
    const bin = Math.min(Math.floor((values[i]! - min) * perUnit), histogramBins - 1);
    if (bin >= 0) counts[bin]!++; // NaN is in no bin
  }
  return counts;
}

/** @param shape [1, L, D] */
function tokenNorms(shape: readonly number[], values: Float32Array): number[] {
  const width = shape[2]!;
  return Array.from({ length: shape[1]! }, (_, token) => {
    let squares = 0;
    for (let i = token * width; i < (token + 1) * width; i++) squares += values[i]! ** 2;
    return Math.sqrt(squares);
  });
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
  const height = Math.min(rows, thumbnailEdge);
  const width = Math.min(columns, thumbnailEdge);
  const cells = Array.from({ length: height * width }, (_, cell) => {
    const [top, bottom] = span(Math.floor(cell / width), height, rows);
    const [left, right] = span(cell % width, width, columns);
    let sum = 0;
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += values[y * columns + x]!;
    return sum / ((bottom - top) * (right - left));
  });
  return { rows: height, columns: width, values: cells };
}

/** The `i`-th of `parts` nearly equal parts of `length`. */
function span(i: number, parts: number, length: number): readonly [number, number] {
  return [Math.floor((i * length) / parts), Math.floor(((i + 1) * length) / parts)];
}
