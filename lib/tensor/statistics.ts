/** What many numbers are like: in memory, and of a stored tensor, read piece by piece. */
import { bytesPerElement, toNumbers } from "./dtype.ts";
import { tensorInfo, type TensorStore } from "./store.ts";

export interface Statistics {
  readonly mean: number;
  /** Of the numbers themselves, not of a population that they are drawn from. */
  readonly std: number;
  /** √(sum of squares) */
  readonly norm: number;
  /** Fourth central moment by the squared variance: 3 for a normal distribution; NaN where all numbers are equal. */
  readonly kurtosis: number;
  /** Share of exact zeros, 0…1. */
  readonly zeros: number;
}

/** Sums in float64, in two passes: around the mean nothing cancels. */
export function statistics(values: ArrayLike<number>): Statistics {
  const count = values.length;
  let sum = 0;
  let squares = 0;
  let zeros = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    sum += value;
    squares += value * value;
    if (value === 0) zeros++;
  }
  const mean = sum / count;
  let second = 0;
  let fourth = 0;
  for (let i = 0; i < count; i++) {
    const square = (values[i]! - mean) ** 2;
    second += square;
    fourth += square * square;
  }
  const variance = second / count;
  return {
    mean,
    std: Math.sqrt(variance),
    norm: Math.sqrt(squares),
    kurtosis: fourth / count / variance ** 2,
    zeros: zeros / count,
  };
}

export interface TensorStatistics {
  /** Of the finite numbers; null where there are none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Of the whole tensor, not an estimate from a sample: divided by the count. */
  readonly std: number | null;
  readonly nan: number;
  readonly infinite: number;
}

/** Elements in memory at once. */
const chunkElements = 1024 * 1024;

/** The statistics of a tensor; null for formats that are no plain numbers (complex, 8-bit floats). */
export async function tensorStatistics(store: TensorStore, name: string): Promise<TensorStatistics | null> {
  const { dtype, size } = tensorInfo(store, name);
  let [min, max, nan, infinite, count] = [Infinity, -Infinity, 0, 0, 0];
  // Sums of differences from the first number, which keeps digits where all are far from zero.
  let [shift, sum, squares] = [NaN, 0, 0];
  const chunk = chunkElements * bytesPerElement[dtype];
  for (let at = 0; at < size; at += chunk) {
    const numbers = toNumbers(dtype, await store.read(name, at, Math.min(chunk, size - at)));
    if (numbers === null) return null;
    for (let i = 0; i < numbers.length; i++) {
      const x = numbers[i]!;
      if (x - x !== 0) {
        if (Number.isNaN(x)) nan++;
        else infinite++;
        continue;
      }
      if (count === 0) shift = x;
      if (x < min) min = x;
      if (x > max) max = x;
      const difference = x - shift;
      sum += difference;
      squares += difference * difference;
      count++;
    }
  }
  if (count === 0) return { min: null, max: null, mean: null, std: null, nan, infinite };
  const mean = sum / count;
  const std = Math.sqrt(Math.max(0, squares / count - mean * mean));
  return { min, max, mean: shift + mean, std, nan, infinite };
}
