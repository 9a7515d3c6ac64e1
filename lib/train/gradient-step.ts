/** One step of any loss on one batch, such as fine-tuning does; `trainStep` is contrastive training as open_clip's. */
import { backward, type BackwardOptions, type Loss, type LossSources } from "../clip/backward.ts";
import type { Clip } from "../clip/clip.ts";
import type { Weight } from "../tensor/weight.ts";
import { withDropout } from "./dropout.ts";
import { clipNorm, type CollectedGradients, type Optimizer } from "./optimizer.ts";
import { trainingReceivers } from "./receivers.ts";
import type { StepOptions, StepResult } from "./step.ts";

/** Settings of one step. */
export interface GradientStepOptions
  extends Pick<StepOptions, "rate" | "clipNorm" | "dropout">, Pick<BackwardOptions, "keepsActivations"> {
  /** Weights that the loss reads itself, such as a classifier's. */
  readonly lossWeights?: readonly Weight[];
}

/**
 * Does one step.
 *
 * @param sources of one batch; the caller disposes the tensors
 * @throws LossNotFinite before anything is changed
 */
export async function gradientStep(
  model: Clip,
  optimizer: Optimizer,
  sources: LossSources,
  loss: Loss,
  { rate, clipNorm: mostNorm, dropout, lossWeights = [], keepsActivations = false }: GradientStepOptions,
): Promise<StepResult> {
  const collected: CollectedGradients = new Map();
  const pass = { seed: dropout.seed, pass: optimizer.step };
  try {
    const receivers = trainingReceivers(optimizer, collected, lossWeights);
    const value = await withDropout(dropout.shares, pass, () =>
      backward(model, sources, loss, receivers, { keepsActivations }),
    );
    const norm = mostNorm === null ? null : await clipNorm(collected, mostNorm);
    optimizer.begin(rate);
    optimizer.applyAll(collected);
    return { loss: value, norm };
  } finally {
    for (const gradient of collected.values()) gradient.dispose();
  }
}
