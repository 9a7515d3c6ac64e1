/** What the figures of an evaluation depend on, to tell whether a finished result answers the same question. */
import { getBackend } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { sha256OfJson } from "../features/digest.ts";
import { modelDigest } from "../features/model-digest.ts";
import type { Dataset } from "./dataset.ts";
import { digestOfImages } from "./embeddings/image-digest.ts";
import { classesOf, defaultRecallK, type EvaluateOptions } from "./evaluate.ts";
import type { EvaluationHost } from "./host.ts";
import type { Classifier } from "./metrics/accuracy.ts";

/** Computes the digests of a model's towers once. Figures depend on the precision, so that the digests do too. */
export async function modelDigests(model: Clip): Promise<readonly [image: string, text: string]> {
  const { precision } = model.weights;
  const suffix = precision === "f32" ? "" : `-${precision}`;
  const [image, text] = await Promise.all([modelDigest(model, "image"), modelDigest(model, "text")]);
  return [`${image}${suffix}`, `${text}${suffix}`];
}

/**
 * A digest of the images, their labels or captions, the prompts, the model, the backend and the options that change
 * figures.
 *
 * @param model the digests of its towers
 * @param options with what a linear probe depends on, in JSON
 * @throws InputError for labels or prompts that do not fit, as `evaluate`
 */
export async function evaluationFingerprint(
  host: EvaluationHost,
  model: readonly string[],
  dataset: Dataset,
  options: EvaluateOptions & { readonly linearProbe?: unknown },
): Promise<string> {
  const isProbe = options.linearProbe !== undefined;
  const classes = isProbe ? null : await classesOf(host, dataset, options);
  return sha256OfJson([
    dataset.kind,
    dataset.convertToRgbFirst,
    await digestOfImages(host.files, dataset.images),
    answersOf(dataset),
    classes?.summary.sha256 ?? null,
    dataset.kind === "retrieval" ? (options.recallK ?? defaultRecallK) : null,
    options.limit ?? null,
    options.linearProbe ?? null,
    ...(options.classifier === undefined ? [] : await digestsOf(options.classifier)),
    model,
    getBackend(),
  ]);
}

function answersOf(dataset: Dataset): unknown {
  switch (dataset.kind) {
    case "classification":
      return dataset.labels;
    case "multilabel":
      return dataset.positives;
    case "retrieval":
      return dataset.captions;
    case "selection":
      return dataset.instances;
  }
}

async function digestsOf({ values, bias }: Classifier): Promise<string[]> {
  return [await sha256OfJson([...values]), ...(bias ? [await sha256OfJson([...bias])] : [])];
}
