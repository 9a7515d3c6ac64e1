/** Means of accuracies from several fits, with confidence intervals. */
import { InputError } from "../errors/input-error.ts";

/** A mean and its 95 % confidence interval, mean ± `half`. */
export interface Interval {
  readonly mean: number;
  readonly half: number;
}

/**
 * The mean of independent values, with Student's t interval: half = t₀.₉₇₅(n − 1) · s · √(1/n), where s² is the variance
 * with the divisor n − 1.
 *
 * Folds of a cross-validation are not independent: they share training rows, and the plain interval is too narrow. With
 * `heldOut`, 1/n is replaced by 1/n + heldOut / (1 − heldOut).
 * Paper: Nadeau and Bengio, 2003 (Machine Learning 52), the corrected resampled t-test.
 *
 * @param heldOut of folds: the fraction of the rows that each fold holds out, 1/n
 * @throws InputError for fewer than two values
 */
export function meanInterval(values: readonly number[], heldOut = 0): Interval {
  const count = values.length;
  if (count < 2) throw new InputError(`expected two values or more for an interval, got ${count}`);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = studentQuantile(count - 1) * Math.sqrt(variance * (1 / count + heldOut / (1 - heldOut)));
  return { mean, half };
}

/**
 * The t with P(|T| ≤ t) = 0.95 for Student's distribution.
 *
 * Source of the probabilities: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
 *
 * @param freedom degrees of freedom, 1 or more
 */
export function studentQuantile(freedom: number): number {
  // P(|T| ≤ t) grows with θ = atan(t / √freedom), between 0 and π/2.
  let [low, high] = [0, Math.PI / 2];
  for (let step = 0; step < 60; step++) {
    const angle = (low + high) / 2;
    if (probabilityWithin(angle, freedom) < 0.95) low = angle;
    else high = angle;
  }
  return Math.sqrt(freedom) * Math.tan(low);
}

function probabilityWithin(angle: number, freedom: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? cosine : 1;
  let series = freedom === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k < freedom; k += 2) {
    term *= (cosine * cosine * (k - 1)) / k;
    series += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * series) : sine * series;
}
