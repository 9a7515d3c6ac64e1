/**
 * Accuracy and recall of a classifier, as CLIP_benchmark reports them.
 *
 * Source: CLIP_benchmark, metrics/zeroshot_classification.py (accuracy; scikit-learn's balanced_accuracy_score).
 */
import { InputError } from "../errors/input-error.ts";

/** Accuracies as fractions. */
export interface ClassificationMetrics {
  /** Fraction of the examples whose best class is the true one. */
  readonly acc1: number;
  /** Fraction with the true class among the best five; undefined for fewer than five classes. */
  readonly acc5: number | undefined;
  /** Mean recall over the classes that have examples. */
  readonly meanPerClassRecall: number;
}

/**
 * Compares scores with labels. Of equal scores the earlier class ranks higher.
 *
 * @param scores [examples, classes] in row-major order: logits, or anything with the same order
 * @param labels the true class of each example, 0 to classes − 1
 * @throws InputError for an empty list of labels, or if the numbers of labels and scores do not match
 */
export function classificationMetrics(
  scores: ArrayLike<number>,
  labels: readonly number[],
  classes: number,
): ClassificationMetrics {
  if (labels.length === 0) throw new InputError("expected at least one labelled example, got none");
  if (scores.length !== labels.length * classes) {
    throw new InputError(
      `expected ${labels.length} × ${classes} scores for ${labels.length} labels, got ${scores.length}`,
    );
  }
  const examples = new Float64Array(classes);
  const right = new Float64Array(classes);
  let amongFive = 0;
  for (const [i, label] of labels.entries()) {
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new InputError(`label ${i}: expected a whole number from 0 to ${classes - 1}, got ${label}`);
    }
    const better = classesBefore(scores, i * classes, classes, label);
    examples[label]! += 1;
    if (better === 0) right[label]! += 1;
    if (better < 5) amongFive += 1;
  }
  const present = [...examples.keys()].filter((label) => examples[label]! > 0);
  const recalls = present.map((label) => right[label]! / examples[label]!);
  return {
    acc1: sum(right) / labels.length,
    acc5: classes < 5 ? undefined : amongFive / labels.length,
    meanPerClassRecall: sum(recalls) / recalls.length,
  };
}

/** How many classes of the row at `start` rank above `label`. NaN ranks last. */
function classesBefore(scores: ArrayLike<number>, start: number, classes: number, label: number): number {
  const own = scores[start + label]!;
  let count = 0;
  for (let c = 0; c < classes; c++) {
    const other = scores[start + c]!;
    if (other > own || (other === own && c < label) || (Number.isNaN(own) && c !== label)) count += 1;
  }
  return count;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
