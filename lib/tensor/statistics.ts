/** What many numbers are like. */

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
