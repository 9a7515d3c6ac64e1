/**
 * A summary of a value inside a pass, computed where the value is: figures, a histogram, the norms of the tokens and a
 * thumbnail. Only these are read from the device, in one read.
 */
import {
  bincount,
  cast,
  clipByValue,
  concat,
  div,
  equal,
  floor,
  isFinite as isFiniteOf,
  logicalNot,
  matMul,
  max,
  maximum,
  mean,
  min,
  reshape,
  sqrt,
  square,
  stack,
  sub,
  sum,
  tensor1d,
  tensor2d,
  tidy,
  where,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import type { Statistics } from "../tensor/statistics.ts";

/** Counts of numbers in intervals of equal width. */
export interface Histogram {
  /** Where the first interval begins: the smallest finite number. */
  readonly min: number;
  /** Where the last interval ends: the largest finite number. */
  readonly max: number;
  readonly counts: Float32Array;
}

/** A small matrix that shows a larger one: each number is the mean of the area that it covers. */
export interface Thumbnail {
  readonly rows: number;
  readonly columns: number;
  /** Row by row. */
  readonly values: Float32Array;
}

/** The result of `summarize`. */
export interface TapSummary extends Statistics {
  readonly shape: readonly number[];
  /** How many numbers are NaN or infinite. The histogram leaves them out; they make the statistics NaN or infinite. */
  readonly notFinite: number;
  /** Of 64 intervals. */
  readonly histogram: Histogram;
  /** The norm of each vector along the last axis, for values [B, L, D] and [B, D]; empty for others. */
  readonly tokenNorms: Float32Array;
  /** Of the matrix along the last two axes, averaged over all axes before them (images, heads, channels). */
  readonly thumbnail: Thumbnail;
}

export const histogramBins = 64;
/** The most rows, and the most columns, of a thumbnail. */
const thumbnailSize = 48;

/**
 * Summarises a value. In a tap sink, return the promise, so that the pass waits for it.
 *
 * Sums are taken along rows on the device, in float32, and across rows in float64.
 *
 * @param value not empty; borrowed until this function has returned its promise
 */
export async function summarize(value: Tensor): Promise<TapSummary> {
  const ends = new Map<string, number>();
  const joined = tidy(() => {
    const parts = Object.entries(partsOf(value)).map(([name, part]): [string, Tensor1D] => [
      name,
      reshape(part as Tensor, [-1]),
    ]);
    let end = 0;
    for (const [name, { size }] of parts) ends.set(name, (end += size));
    return concat<Tensor1D>(parts.map(([, part]) => part));
  });
  try {
    const numbers = await joined.data<"float32">();
    let start = 0;
    const read = Object.fromEntries(
      Array.from(ends, ([name, end]) => [name, numbers.slice(start, (start = end))]),
    ) as Record<keyof Parts, Float32Array>;
    const [low = NaN, high = NaN, zeros = NaN, notFinite = NaN] = read.scalars;
    const [rows, columns] = thumbnailShape(value.shape);
    return {
      shape: value.shape,
      ...statisticsOf(value.size, zeros, read),
      notFinite,
      histogram: { min: low, max: high, counts: read.counts },
      tokenNorms: read.tokenNorms,
      thumbnail: { rows, columns, values: read.thumbnail },
    };
  } finally {
    joined.dispose();
  }
}

/** What the device computes. */
interface Parts {
  /** Smallest and largest finite number, zeros, and numbers that are not finite. */
  readonly scalars: Tensor;
  readonly sums: Tensor;
  readonly squares: Tensor;
  /** The mean that the central moments are taken around. */
  readonly centre: Tensor;
  /** Sums of the second and of the fourth power of the differences from `centre`. */
  readonly seconds: Tensor;
  readonly fourths: Tensor;
  readonly counts: Tensor;
  readonly tokenNorms: Tensor;
  readonly thumbnail: Tensor;
}

function partsOf(value: Tensor): Parts {
  const isNumber = isFiniteOf(value);
  const low = min(where(isNumber, value, Infinity));
  const high = max(where(isNumber, value, -Infinity));
  const sums = sumRows(value);
  const centre = div(sum(sums), value.size);
  const differences = square(sub(value, centre));
  const count = (which: Tensor): Tensor => sum(sumRows(cast(which, "float32")));
  const scalars = [low, high, count(equal(value, 0)), count(logicalNot(isNumber))];
  return {
    scalars: stack(scalars),
    sums,
    squares: sumRows(square(value)),
    centre,
    seconds: sumRows(differences),
    fourths: sumRows(square(differences)),
    counts: countsOf(value, isNumber, low, high),
    tokenNorms: value.rank === 2 || value.rank === 3 ? sqrt(sum(square(value), -1)) : tensor1d([]),
    thumbnail: thumbnailOf(value),
  };
}

/** Sums along the last axis; of values with more than three axes, along the last two. */
function sumRows(value: Tensor): Tensor {
  if (value.rank === 0) return value;
  const rows = sum(value, -1);
  return value.rank > 3 ? sum(rows, -1) : rows;
}

function countsOf(value: Tensor, isNumber: Tensor, low: Tensor, high: Tensor): Tensor {
  const width = maximum(div(sub(high, low), histogramBins), smallestNormal);
  const interval = clipByValue(floor(div(sub(value, low), width)), 0, histogramBins - 1);
  const counted = where(isNumber, interval, histogramBins); // an index outside of the counts is ignored
  const indices: Tensor1D = reshape(cast(counted, "int32"), [-1]);
  return bincount(indices, tensor1d([]), histogramBins);
}

/** Of float32. */
const smallestNormal = 2 ** -126;

/** The last two axes; 1 where there is none. */
function matrixShape(shape: readonly number[]): [rows: number, columns: number] {
  return [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
}

function thumbnailShape(shape: readonly number[]): [rows: number, columns: number] {
  const [rows, columns] = matrixShape(shape);
  return [Math.min(rows, thumbnailSize), Math.min(columns, thumbnailSize)];
}

function thumbnailOf(value: Tensor): Tensor {
  const [rows, columns] = matrixShape(value.shape);
  const [toRows, toColumns] = thumbnailShape(value.shape);
  const matrix: Tensor2D = mean(reshape(value, [-1, rows, columns]), 0);
  const down = toRows === rows ? matrix : matMul(areas(rows, toRows), matrix);
  return toColumns === columns ? down : matMul(down, areas(columns, toColumns), false, true);
}

/** By "from,to": a model has few widths and lengths. */
const knownShares = new Map<string, Float32Array>();

/** Averages `from` numbers in `to` parts of equal length. Row i holds the share of each number in part i. [to, from] */
function areas(from: number, to: number): Tensor2D {
  const key = `${from},${to}`;
  const shares = knownShares.get(key) ?? sharesOf(from, to);
  knownShares.set(key, shares);
  return tensor2d(shares, [to, from]);
}

function sharesOf(from: number, to: number): Float32Array {
  const part = from / to;
  const shares = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const [start, end] = [i * part, (i + 1) * part];
    for (let j = Math.floor(start); j < Math.min(end, from); j++) {
      shares[i * from + j] = (Math.min(j + 1, end) - Math.max(j, start)) / part;
    }
  }
  return shares;
}

function statisticsOf(
  count: number,
  zeros: number,
  { sums, squares, centre, seconds, fourths }: Record<keyof Parts, Float32Array>,
): Statistics {
  const total = (numbers: Float32Array): number => numbers.reduce((a, b) => a + b, 0);
  const mean = total(sums) / count;
  const variance = total(seconds) / count - (mean - centre[0]!) ** 2;
  return {
    mean,
    std: Math.sqrt(variance),
    norm: Math.sqrt(total(squares)),
    kurtosis: total(fourths) / count / variance ** 2,
    zeros: zeros / count,
  };
}
