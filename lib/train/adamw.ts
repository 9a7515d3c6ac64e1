/**
 * One step of AdamW on a tensor, in PyTorch's order of operations:
 *
 *     p ← (1 − η λ) p
 *     m ← m + (1 − β₁) (g − m),   v ← β₂ v + (1 − β₂) g²
 *     p ← p − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 *
 * Paper: Loshchilov and Hutter, 2019 (arXiv 1711.05101). Source: torch/optim/adam.py, _single_tensor_adam.
 */
import { add, div, mul, sqrt, square, sub, tidy, type Tensor } from "@tensorflow/tfjs-core";

/** A parameter's value and AdamW's moments, of one shape. */
export interface AdamwState {
  readonly value: Tensor;
  /** m */
  readonly mean: Tensor;
  /** v */
  readonly square: Tensor;
}

/** The numbers of one step. */
export interface AdamwUpdate {
  /** Learning rate η. */
  readonly rate: number;
  /** λ */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** t, from 1. */
  readonly step: number;
}

/** @returns new tensors; the caller disposes both states */
export function adamw(state: AdamwState, gradient: Tensor, update: AdamwUpdate): AdamwState {
  const { rate, weightDecay, beta1, beta2, epsilon, step } = update;
  const [value, mean, meanSquare] = tidy((): Tensor[] => {
    // A scope for each part frees its intermediate tensors before the next part begins.
    const mean = tidy(() => add(state.mean, mul(sub(gradient, state.mean), 1 - beta1)));
    const meanSquare = tidy(() => add(mul(state.square, beta2), mul(square(gradient), 1 - beta2)));
    const scale = tidy(() => add(div(sqrt(meanSquare), Math.sqrt(1 - beta2 ** step)), epsilon));
    const change = tidy(() => mul(div(mean, scale), rate / (1 - beta1 ** step)));
    scale.dispose();
    const decayed = weightDecay === 0 ? state.value : mul(state.value, 1 - rate * weightDecay);
    return [sub(decayed, change), mean, meanSquare];
  });
  return { value: value!, mean: mean!, square: meanSquare! };
}
