/** Evaluates a classifier on labelled examples: accuracy, confusions, and calibration. */
import { classificationMetrics, type ClassificationMetrics } from "../tasks/metrics.ts";

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
  /** [true class][predicted class]: number of examples */
  readonly confusion: readonly (readonly number[])[];
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
  const metrics = classificationMetrics(logits, labels, classes);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const bin = Array.from({ length: bins }, () => ({ examples: 0, probability: 0, right: 0 }));
  for (const [i, label] of labels.entries()) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const predicted = best(row);
    confusion[label]![predicted]! += 1;
    const probability = 1 / row.reduce((sum, logit) => sum + Math.exp(logit - row[predicted]!), 0);
    const at = bin[Math.min(bins - 1, Math.max(0, Math.ceil(probability * bins) - 1))]!;
    at.examples += 1;
    at.probability += probability;
    at.right += predicted === label ? 1 : 0;
  }
  const distances = bin.reduce((sum, { probability, right }) => sum + Math.abs(probability - right), 0);
  return {
    ...metrics,
    confusion,
    classes: confusion.map((row, c) => classReport(confusion, row, c)),
    calibrationError: distances / labels.length,
    calibration: bin.map(({ examples, probability, right }) => ({
      examples,
      probability: probability / Math.max(examples, 1),
      accuracy: right / Math.max(examples, 1),
    })),
  };
}

/** The index of the largest value; the first one of several. */
export function best(values: ArrayLike<number>): number {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[at]!) at = i;
  return at;
}

function classReport(
  confusion: readonly (readonly number[])[],
  row: readonly number[],
  c: number,
): ClassReport {
  const examples = row.reduce((sum, count) => sum + count, 0);
  const predicted = confusion.reduce((sum, other) => sum + other[c]!, 0);
  return {
    examples,
    recall: examples === 0 ? undefined : row[c]! / examples,
    precision: predicted === 0 ? undefined : row[c]! / predicted,
  };
}
