/** Zero-shot classification of images with several classes each. */
import type { Rows } from "../../features/features.ts";
import type { MultilabelDataset } from "../dataset.ts";
import type { ImageEmbeddings } from "../embeddings/image-embeddings.ts";
import type { TaskResult } from "../evaluation.ts";
import { meanAveragePrecision } from "../metrics/average-precision.ts";

/** @param classifier [classes, embedDim] */
export async function evaluateMultilabel(
  dataset: MultilabelDataset,
  { rows, images }: ImageEmbeddings,
  classNames: readonly string[],
  classifier: Rows,
): Promise<Omit<TaskResult, "prompts" | "texts">> {
  const positives = images.map((image) => dataset.positives[image]!);
  const found = await meanAveragePrecision(rows, positives, classifier);
  return {
    metrics: { mean_average_precision: found.meanAveragePrecision },
    standardErrors: { mean_average_precision: null },
    ties: found.ties,
    details: {
      kind: "multilabel",
      classes: found.classes.map((of, c) => ({
        name: classNames[c]!,
        positives: of.positives,
        averagePrecision: of.averagePrecision,
      })),
    },
    images: rows.rows,
  };
}
