/** Zero-shot classification of features, as a baseline for a probe. */
import { tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { l2Normalize } from "../clip/normalize.ts";
import { disposing } from "../tensor/disposing.ts";
import { embeddingTap } from "../tasks/embed-images.ts";
import { zeroShotClassifier } from "../tasks/zero-shot.ts";
import { RunningEvaluation, type Evaluation } from "./evaluate.ts";
import type { LabelledFeatures } from "../features/features.ts";
import { rowsPerBlock } from "../features/row-blocks.ts";
import { modelDigest } from "../features/model-digest.ts";

/** Why features cannot be classified zero-shot, with any model; null if they can. */
export function whyNoZeroShot({ classNames, metadata }: LabelledFeatures): string | null {
  if (classNames === null) return "the classes have no names";
  const { tap = embeddingTap, model_sha256: model } = metadata;
  if (tap !== embeddingTap) return `the features are of ${tap}, not the embedding`;
  return model === undefined ? "the features do not record the model that made them" : null;
}

/**
 * Zero-shot classification of features by the names of their classes.
 *
 * @param templates as for `zeroShotClassifier`
 * @returns null if another model made the features
 */
export async function evaluateZeroShot(
  model: Clip,
  { values, rows, width, labels, classNames, metadata }: LabelledFeatures,
  templates?: readonly string[],
): Promise<Evaluation | null> {
  if (classNames === null || metadata["model_sha256"] !== (await modelDigest(model, "image"))) return null;
  const classifier = await zeroShotClassifier(model, classNames, templates);
  try {
    const evaluation = new RunningEvaluation(classNames.length);
    const rowsAtOnce = rowsPerBlock(width, classNames.length);
    for (let start = 0; start < rows; start += rowsAtOnce) {
      const end = Math.min(start + rowsAtOnce, rows);
      const block = values.subarray(start * width, end * width);
      const images = tidy(() => l2Normalize(tensor2d(block, [end - start, width])));
      const logits = await disposing(images, () => classifier.logits(images));
      const scores = await disposing(logits, (tensor) => tensor.data<"float32">());
      evaluation.add(scores, labels.slice(start, end));
    }
    return evaluation.result();
  } finally {
    classifier.dispose();
  }
}
