/**
 * A step of Adam, with decoupled weight decay if asked for.
 *
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²; p ← p (1 − r λ) − r / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
 * Papers: Kingma and Ba, 2015 (arXiv 1412.6980); Loshchilov and Hutter, 2019 (arXiv 1711.05101). Source: torch.optim.AdamW.
 */
import { add, div, mul, sqrt, square, sub, tidy, zerosLike, type Tensor } from "@tensorflow/tfjs-core";

/** Values that are optimised, and the running means of their gradient and its square. */
export interface AdamState<T extends Tensor> {
  readonly values: T;
  readonly mean: T;
  readonly squares: T;
}

export interface AdamSettings {
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** @param values owned by the state from now on */
export function startAdam<T extends Tensor>(values: T): AdamState<T> {
  return { values, mean: zerosLike(values), squares: zerosLike(values) };
}

/**
 * @param step from 1
 * @returns the new state; the caller disposes the one before
 */
export function adamStep<T extends Tensor>(
  before: AdamState<T>,
  gradient: T,
  step: number,
  { rate, beta1, beta2, epsilon, weightDecay }: AdamSettings,
): AdamState<T> {
  const mean = tidy(() => add<T>(mul(before.mean, beta1), mul(gradient, 1 - beta1)));
  const squares = tidy(() => add<T>(mul(before.squares, beta2), mul(square(gradient), 1 - beta2)));
  const values = tidy(() => {
    const size = add(div(sqrt(squares), Math.sqrt(1 - beta2 ** step)), epsilon);
    const change = mul(div(mean, size), rate / (1 - beta1 ** step));
    return sub<T>(mul(before.values, 1 - rate * weightDecay), change);
  });
  return { values, mean, squares };
}

export function disposeAdam({ values, mean, squares }: AdamState<Tensor>): void {
  for (const tensor of [values, mean, squares]) tensor.dispose();
}
