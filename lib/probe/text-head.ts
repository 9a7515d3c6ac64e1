/** The zero-shot classifier of features' classes, from which adapters begin. */
import { transpose } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import type { LabelledFeatures } from "../features/features.ts";
import { modelDigest } from "../features/model-digest.ts";
import { disposing } from "../tensor/disposing.ts";
import { pass } from "../tensor/taps.ts";
import { zeroShotClassifier } from "../tasks/zero-shot.ts";
import { whyNoZeroShot } from "./zero-shot.ts";
import type { TextHead } from "./zero-shot-head.ts";

/**
 * Embeds the names of the classes.
 *
 * @param templates as for `zeroShotClassifier`
 * @throws InputError for features without class names, of another tap, or of another model
 */
export async function textHead(
  model: Clip,
  features: LabelledFeatures,
  templates?: readonly string[],
): Promise<TextHead> {
  const { name, classNames, metadata } = features;
  const reason = whyNoZeroShot(features);
  if (reason !== null || classNames === null) {
    throw new InputError(
      `${name}: adapters begin with the names of the classes, but ${reason ?? "there are none"}`,
    );
  }
  if (metadata["model_sha256"] !== (await modelDigest(model, "image"))) {
    throw new InputError(
      `${name}: another model (${metadata["model"] ?? "unknown"}) made the features; pass it with --model`,
    );
  }
  return zeroShotHead(model, classNames, templates);
}

/** The zero-shot classifier of class names. @param templates as for `zeroShotClassifier` @throws InputError as there */
export async function zeroShotHead(
  model: Clip,
  classNames: readonly string[],
  templates?: readonly string[],
): Promise<TextHead> {
  const classifier = await zeroShotClassifier(model, classNames, templates);
  try {
    const embeddings = await disposing(transpose(classifier.weight), (rows) => rows.data<"float32">());
    const { logitScale } = model;
    const [scale = NaN] = await pass(async () => {
      await logitScale.load();
      const values = await logitScale.tensor.data<"float32">();
      logitScale.release();
      return values;
    });
    return { embeddings: new Float32Array(embeddings), scale: Math.exp(scale) };
  } finally {
    classifier.dispose();
  }
}
