/**
 * A linear classifier on normalised image embeddings: logits = f̂ · Wᵀ + b.
 *
 * It begins as the zero-shot classifier: W is the logit scale times the embeddings of the classes, b is 0.
 * Paper: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022 (arXiv 2109.01903).
 * Source: wise-ft, src/models/modeling.py (ClassificationHead), src/models/zeroshot.py.
 */
import type { Rank, Tensor2D } from "@tensorflow/tfjs-core";
import { linear } from "../nn/operations/linear.ts";
import { freeWeight, type Weight } from "../tensor/weight.ts";

/** The numbers of a linear classifier. */
export interface LinearValues {
  /** [classes, width] in row-major order */
  readonly weight: ArrayLike<number>;
  /** [classes] */
  readonly bias: ArrayLike<number>;
}

/** A classifier under training. */
export class ClassifierHead {
  readonly weight: Weight<Rank.R2>;
  readonly bias: Weight<Rank.R1>;

  constructor({ weight, bias }: LinearValues) {
    const classes = bias.length;
    const width = weight.length / classes;
    this.weight = freeWeight("head.weight", [classes, width], Float32Array.from(weight), "linear");
    this.bias = freeWeight("head.bias", [classes], Float32Array.from(bias));
  }

  get weights(): readonly Weight[] {
    return [this.weight, this.bias];
  }

  /** @param features [B, width], normalised @returns [B, classes] */
  logits(features: Tensor2D): Tensor2D {
    return linear(features, this.weight.tensor, this.bias.tensor);
  }

  dispose(): void {
    for (const weight of this.weights) weight.dispose();
  }
}
