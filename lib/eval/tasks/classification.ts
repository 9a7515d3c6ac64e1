/** Zero-shot classification of images with one class each. */
import type { ClassReport, ConfusionMatrix } from "../../tasks/confusions.ts";
import type { ClassificationDataset } from "../dataset.ts";
import type { ImageEmbeddings } from "../embeddings/image-embeddings.ts";
import { shareError, type ClassFigures, type Confusion, type TaskResult } from "../evaluation.ts";
import { zeroShotAccuracy, type Classifier } from "../metrics/accuracy.ts";

/** @param classifier [classes, embedDim] */
export async function evaluateClassification(
  dataset: ClassificationDataset,
  { rows, images }: ImageEmbeddings,
  classNames: readonly string[],
  classifier: Classifier,
): Promise<Omit<TaskResult, "prompts" | "texts">> {
  const labels = images.map((image) => dataset.labels[image]!);
  const accuracy = await zeroShotAccuracy(rows, labels, classifier, undefined, "kept");
  const { acc1, acc5, meanPerClassRecall, ties } = accuracy;
  return {
    metrics: { acc1, acc5: acc5 ?? null, mean_per_class_recall: meanPerClassRecall },
    standardErrors: {
      acc1: shareError(acc1, accuracy.images),
      acc5: acc5 === undefined ? null : shareError(acc5, accuracy.images),
      mean_per_class_recall: recallError(accuracy.classes),
    },
    ties,
    details: {
      kind: "classification",
      classes: classFigures(accuracy.classes, classNames),
      confusions: confusionList(accuracy.confusion),
    },
    images: accuracy.images,
  };
}

/** Of the mean of independent shares. */
export function recallError(classes: readonly ClassReport[]): number {
  const present = classes.filter(({ examples }) => examples > 0);
  const variances = present.map(({ recall = 0, examples }) => shareError(recall, examples) ** 2);
  return Math.sqrt(variances.reduce((sum, variance) => sum + variance, 0)) / present.length;
}

export function classFigures(
  classes: readonly ClassReport[],
  classNames: readonly string[],
): readonly ClassFigures[] {
  return classes.map(({ examples, recall, precision }, c) => ({
    name: classNames[c] ?? `${c}`,
    examples,
    recall: recall ?? null,
    precision: precision ?? null,
  }));
}

/** The pairs that occur, by true class, then by predicted class. */
export function confusionList(confusion: ConfusionMatrix["confusion"]): readonly Confusion[] {
  return confusion.flatMap((row, truth) =>
    [...row].sort(([a], [b]) => a - b).map(([predicted, images]): Confusion => [truth, predicted, images]),
  );
}
