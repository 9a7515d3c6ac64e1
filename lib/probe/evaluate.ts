/** Evaluates a classifier on labelled examples: accuracy, confusions, and calibration. */
import { ClassificationCounts, type ClassificationMetrics } from "../tasks/metrics.ts";

/** Recall and precision of one class. */
export interface ClassReport {
  /** The number of examples of the class. */
  readonly examples: number;
  /** The fraction of its examples that are classified as it; undefined without examples. */
  readonly recall: number | undefined;
  /** The fraction of examples classified as it that belong to it; undefined if there are none. */
  readonly precision: number | undefined;
}

/** The examples whose predicted class has a probability in a certain range. */
export interface CalibrationBin {
  readonly examples: number;
  /** Mean probability of their predicted classes; 0 without examples. */
  readonly probability: number;
  /** The fraction classified correctly; 0 without examples. */
  readonly accuracy: number;
}

/** The figures of a classifier on labelled features. */
export interface Evaluation extends ClassificationMetrics {
  readonly classes: readonly ClassReport[];
  /**
   * For each true class: predicted class → number of examples. Pairs that do not occur are absent, so the size is
   * limited by the number of examples and does not grow with the square of the number of classes.
   */
  readonly confusion: readonly ReadonlyMap<number, number>[];
  /**
   * Expected calibration error: the examples are binned by the probability of the predicted class into 15 bins; this is
   * the mean difference between a bin's mean probability and its accuracy, weighted by its examples.
   * Paper: Guo et al., 2017 (arXiv 1706.04599), section 2.
   */
  readonly calibrationError: number;
  /** The bins, in the order of their probabilities. */
  readonly calibration: readonly CalibrationBin[];
}

const bins = 15;

/**
 * @param logits [examples, classes] in row-major order; the probabilities are their softmax
 * @param labels the true class of each example
 * @throws InputError for an empty list of labels, or if the numbers of labels and logits do not match
 */
export function evaluateClassifier(
  logits: Float32Array,
  labels: readonly number[],
  classes: number,
): Evaluation {
  const evaluation = new RunningEvaluation(classes);
  evaluation.add(logits, labels);
  return evaluation.result();
}

/** `evaluateClassifier` of examples that arrive in blocks, so that their logits are never in memory as a whole. */
export class RunningEvaluation {
  readonly classes: number;
  readonly #counts: ClassificationCounts;
  readonly #confusion: readonly Map<number, number>[];
  readonly #bins = Array.from({ length: bins }, () => ({ examples: 0, probability: 0, right: 0 }));

  constructor(classes: number) {
    this.classes = classes;
    this.#counts = new ClassificationCounts(classes);
    this.#confusion = Array.from({ length: classes }, () => new Map<number, number>());
  }

  /**
   * Adds examples.
   *
   * @param logits [examples, classes] in row-major order
   * @param labels the true class of each example
   * @param confidences the largest probability of each example. Default: computed from the logits, which takes longer
   *   than all the rest
   * @throws InputError if the numbers of labels and logits do not match, or a label is not a class
   */
  add(logits: Float32Array, labels: readonly number[], confidences?: ArrayLike<number>): void {
    const { classes } = this;
    this.#counts.add(logits, labels);
    for (const [i, label] of labels.entries()) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const predicted = best(row);
      const of = this.#confusion[label]!;
      of.set(predicted, (of.get(predicted) ?? 0) + 1);
      const probability = confidences?.[i] ?? 1 / exponentials(row, row[predicted]!);
      const bin = this.#bins[Math.min(bins - 1, Math.max(0, Math.ceil(probability * bins) - 1))]!;
      bin.examples += 1;
      bin.probability += probability;
      bin.right += predicted === label ? 1 : 0;
    }
  }

  /** @throws InputError if there are no examples */
  result(): Evaluation {
    const metrics = this.#counts.metrics();
    const examples = this.#bins.reduce((sum, bin) => sum + bin.examples, 0);
    const distances = this.#bins.reduce(
      (sum, { probability, right }) => sum + Math.abs(probability - right),
      0,
    );
    return {
      ...metrics,
      confusion: this.#confusion,
      classes: classReports(this.#confusion),
      calibrationError: distances / examples,
      calibration: this.#bins.map((bin) => ({
        examples: bin.examples,
        probability: bin.probability / Math.max(bin.examples, 1),
        accuracy: bin.right / Math.max(bin.examples, 1),
      })),
    };
  }
}

/** The index of the largest value; the first one of several. */
export function best(values: ArrayLike<number>): number {
  let at = 0;
  let most = values[0]!;
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!;
    if (value > most) {
      at = i;
      most = value;
    }
  }
  return at;
}

/** Σ e^(logit − largest) */
function exponentials(logits: Float32Array, largest: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - largest);
  return sum;
}

function classReports(confusion: readonly ReadonlyMap<number, number>[]): ClassReport[] {
  const predicted = new Float64Array(confusion.length);
  for (const row of confusion) for (const [c, count] of row) predicted[c]! += count;
  return confusion.map((row, c) => {
    const right = row.get(c) ?? 0;
    const examples = [...row.values()].reduce((sum, count) => sum + count, 0);
    return {
      examples,
      recall: examples === 0 ? undefined : right / examples,
      precision: predicted[c] === 0 ? undefined : right / predicted[c]!,
    };
  });
}
