/**
 * Zero-shot accuracy: acc1, acc5 and mean per-class recall.
 *
 * Of classes with equal scores the first ranks highest, as with PyTorch's argmax; its topk has no defined order.
 * Source: CLIP_benchmark, metrics/zeroshot_classification.py, run_classification, accuracy, evaluate.
 */
import type { Rows } from "../../features/features.ts";
import { best, Confusions, type ConfusionMatrix } from "../../tasks/confusions.ts";
import { ClassificationCounts, type ClassificationMetrics } from "../../tasks/metrics.ts";
import { InputError } from "../../errors/input-error.ts";
import { cosineBlocks } from "./cosine-blocks.ts";

/** The figures of a zero-shot classifier on images with one class each. */
export interface Accuracy extends ClassificationMetrics, ConfusionMatrix {
  /** The number of images with a label. */
  readonly images: number;
  /** Images that are right for acc1 or acc5, or not, only because of the order of classes with equal scores. */
  readonly ties: number;
  /** The predicted class of each image, of those without a label too. */
  readonly predictions: Int32Array;
}

/** The embeddings of classes [classes, embedDim], and what is added to the score of each class. */
export interface Classifier extends Rows {
  /** Default: 0 */
  readonly bias?: Float32Array;
}

/**
 * @param images [images, embedDim]
 * @param labels the class of each image, an index from 0; an image with null takes no part
 * @param classifier [classes, embedDim], from `classEmbeddings`
 * @param size values in a block of scores
 * @param classNorms "kept": the classifier is not normalised, as CLIP_benchmark leaves a mean of classifiers
 * @throws InputError if labels and images do not match, a label is not a class, or no image has a label
 */
export async function zeroShotAccuracy(
  images: Rows,
  labels: readonly (number | null)[],
  classifier: Classifier,
  size?: number,
  classNorms: "unit" | "kept" = "unit",
): Promise<Accuracy> {
  if (labels.length !== images.rows) {
    throw new InputError(
      `accuracy: expected a label for each of ${images.rows} images, got ${labels.length}`,
    );
  }
  const classes = classifier.rows;
  const { bias } = classifier;
  const counts = new ClassificationCounts(classes);
  const confusions = new Confusions(classes);
  const predictions = new Int32Array(images.rows);
  let labelled = 0;
  for await (const { start, end, cosines } of cosineBlocks(images, classifier, size, classNorms)) {
    for (let image = start; image < end; image++) {
      const scores = cosines.subarray((image - start) * classes, (image - start + 1) * classes);
      if (bias) for (let c = 0; c < classes; c++) scores[c]! += bias[c]!;
      const predicted = best(scores);
      predictions[image] = predicted;
      const label = labels[image] ?? null;
      if (label === null) continue;
      assertClass(label, image, classes);
      counts.add(scores, [label]);
      confusions.add(label, predicted);
      labelled += 1;
    }
  }
  return { ...counts.metrics(), images: labelled, ties: counts.ties, predictions, ...confusions.matrix() };
}

function assertClass(label: number, image: number, classes: number): void {
  if (Number.isInteger(label) && label >= 0 && label < classes) return;
  throw new InputError(
    `accuracy: the label of image ${image} is ${label}, expected 0 to ${classes - 1} for ${classes} class names`,
  );
}
