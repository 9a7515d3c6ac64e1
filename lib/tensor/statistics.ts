/** Statistics of numbers in memory, and of a stored tensor, read in chunks. */
import { bytesPerElement, toNumbers } from "./dtype.ts";
import { tensorInfo, type TensorStore } from "./store.ts";

/** Statistics of an array of numbers. */
export interface Statistics {
  readonly mean: number;
  /** Population standard deviation: divided by the count. */
  readonly std: number;
  /** √(sum of squares) */
  readonly norm: number;
  /** Fourth central moment divided by the squared variance: 3 for a normal distribution; NaN if all numbers are equal. */
  readonly kurtosis: number;
  /** Fraction of exact zeros, 0 to 1. */
  readonly zeros: number;
}

/** Sums in float64. The moments take a second loop around the mean, which avoids cancellation. */
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

/** Statistics of a tensor in a store. */
export interface TensorStatistics {
  /** Of the finite numbers, as are max, mean and std; null if there are none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Population standard deviation: divided by the count. */
  readonly std: number | null;
  readonly nan: number;
  readonly infinite: number;
}

/** Elements that are in memory at once. */
const chunkElements = 1024 * 1024;

/** The statistics of a tensor; null for complex numbers and 8-bit floats. */
export async function tensorStatistics(store: TensorStore, name: string): Promise<TensorStatistics | null> {
  const { dtype, size } = tensorInfo(store, name);
  let [min, max, nan, infinite, count] = [Infinity, -Infinity, 0, 0, 0];
  // Sums of differences from the first number: they lose fewer bits if all numbers are far from zero.
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
