/** Where the gradients of a training step go. */
import type { Receivers } from "../clip/backward.ts";
import { InputError } from "../errors/input-error.ts";
import type { Weight } from "../tensor/weight.ts";
import type { CollectedGradients, Optimizer } from "./optimizer.ts";

/**
 * Gradients update weights as they arrive, or are collected for later.
 *
 * @param lossWeights as in `Receivers`
 */
export function trainingReceivers(
  optimizer: Optimizer,
  collected: CollectedGradients | null,
  lossWeights: readonly Weight[] = [],
): Receivers {
  return {
    weights: optimizer.handles,
    lossWeights,
    tap: () => false,
    onTap: () => undefined,
    onPixels: null,
    onLoss: (value) => {
      if (!Number.isFinite(value)) throw new LossNotFinite(value);
    },
    onWeight: (handle, gradient) => {
      if (collected) optimizer.collect(handle, gradient, collected);
      else optimizer.apply(handle, gradient);
    },
  };
}

/** A loss that is NaN or infinite, from which no training recovers. */
export class LossNotFinite extends InputError {
  constructor(value: number) {
    super(`the loss is ${value}; lower --lr, or clip the gradient with --grad-clip-norm`);
  }
}
