/** What the same features give without any training: the bar that a probe has to clear. */
import { tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { l2Normalize } from "../clip/normalize.ts";
import { disposing } from "../tensor/disposing.ts";
import { modelIdentity } from "../node/models/model-identity.ts";
import { embeddingTap } from "../tasks/embed.ts";
import { zeroShotClassifier } from "../tasks/zero-shot.ts";
import { evaluateClassifier, type Evaluation } from "./evaluate.ts";
import type { LabelledFeatures } from "../features/features.ts";

/** Why features cannot be classified by prompts whatever the model, in words; null if they can. */
export function whyNoZeroShot({ classNames, metadata }: LabelledFeatures): string | null {
  if (classNames === null) return "the classes have no names";
  const { tap = embeddingTap, model_sha256: model } = metadata;
  if (tap !== embeddingTap) return `the features are of ${tap}, not of the whole tower`;
  return model === undefined ? "the features do not say which model made them" : null;
}

/**
 * Zero-shot classification of features by the names of their classes.
 *
 * @param templates as for `zeroShotClassifier`
 * @returns null if the features come from another model
 */
export async function evaluateZeroShot(
  model: Clip,
  { values, rows, width, labels, classNames, metadata }: LabelledFeatures,
  templates?: readonly string[],
): Promise<Evaluation | null> {
  const { sha256 } = await modelIdentity(model, "image");
  if (classNames === null || metadata["model_sha256"] !== sha256) return null;
  const classifier = await zeroShotClassifier(model, classNames, templates);
  try {
    const images = tidy(() => l2Normalize(tensor2d(values, [rows, width])));
    const logits = await disposing(images, () => classifier.logits(images));
    const scores = await disposing(logits, (tensor) => tensor.data<"float32">());
    return evaluateClassifier(scores, labels, classNames.length);
  } finally {
    classifier.dispose();
  }
}
