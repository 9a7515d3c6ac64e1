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
  const counts = new ClassificationCounts(classes);
  counts.add(scores, labels);
  return counts.metrics();
}

/** `classificationMetrics` of examples that arrive in blocks, so that their scores are never in memory as a whole. */
export class ClassificationCounts {
  readonly classes: number;
  readonly #examples: Float64Array;
  readonly #right: Float64Array;
  #total = 0;
  #amongFive = 0;
  #ties = 0;

  constructor(classes: number) {
    this.classes = classes;
    this.#examples = new Float64Array(classes);
    this.#right = new Float64Array(classes);
  }

  /**
   * Adds examples.
   *
   * @param scores [examples, classes] in row-major order
   * @param labels the true class of each example, 0 to classes − 1
   * @throws InputError if the numbers of labels and scores do not match, or a label is not a class
   */
  add(scores: ArrayLike<number>, labels: readonly number[]): void {
    const { classes } = this;
    if (scores.length !== labels.length * classes) {
      throw new InputError(
        `expected ${labels.length} × ${classes} scores for ${labels.length} labels, got ${scores.length}`,
      );
    }
    for (const [i, label] of labels.entries()) {
      if (!Number.isInteger(label) || label < 0 || label >= classes) {
        throw new InputError(
          `label ${this.#total + i}: expected a whole number from 0 to ${classes - 1}, got ${label}`,
        );
      }
      const { best, first, worst } = ranksOf(scores, i * classes, classes, label);
      this.#examples[label]! += 1;
      if (first === 0) this.#right[label]! += 1;
      if (first < mostRanks) this.#amongFive += 1;
      if ((best === 0 && worst > 0) || (classes > mostRanks && best < mostRanks && worst >= mostRanks)) {
        this.#ties += 1;
      }
    }
    this.#total += labels.length;
  }

  /** Examples that count for acc1 or acc5, or not, only because of the order of classes with equal scores. */
  get ties(): number {
    return this.#ties;
  }

  /** @throws InputError if there are no examples */
  metrics(): ClassificationMetrics {
    if (this.#total === 0) throw new InputError("expected at least one labelled example, got none");
    const present = [...this.#examples.keys()].filter((label) => this.#examples[label]! > 0);
    const recalls = present.map((label) => this.#right[label]! / this.#examples[label]!);
    return {
      acc1: sum(this.#right) / this.#total,
      acc5: this.classes < 5 ? undefined : this.#amongFive / this.#total,
      meanPerClassRecall: sum(recalls) / recalls.length,
    };
  }
}

/** Of the ranks, only those up to here are told apart. */
const mostRanks = 5;

interface LabelRanks {
  /** The rank of the label, from 0, if it comes before, by number or behind all classes with an equal score. */
  readonly best: number;
  readonly first: number;
  readonly worst: number;
}

/** The ranks of `label` in the row at `start`, exact up to `mostRanks`. NaN ranks last. */
function ranksOf(scores: ArrayLike<number>, start: number, classes: number, label: number): LabelRanks {
  const own = scores[start + label]!;
  if (Number.isNaN(own)) {
    const last = Math.min(classes - 1, mostRanks);
    return { best: last, first: last, worst: last };
  }
  let best = 0;
  let before = 0;
  let behind = 0;
  for (let c = 0; c < classes && best < mostRanks; c++) {
    const other = scores[start + c]!;
    if (other > own) best += 1;
    else if (other === own && c < label) before += 1;
    else if (other === own && c > label) behind += 1;
  }
  return { best, first: best + before, worst: best + before + behind };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
