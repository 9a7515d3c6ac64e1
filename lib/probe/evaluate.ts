/** What a classifier does on labelled examples: the figures of CLIP_benchmark, and those that tell where it fails. */
import { classificationMetrics, type ClassificationMetrics } from "../tasks/metrics.ts";

/** Recall and precision of one class. */
export interface ClassReport {
  /** Examples of the class. */
  readonly examples: number;
  /** Fraction of its examples that are classified as it; undefined without examples. */
  readonly recall: number | undefined;
  /** Fraction of what is classified as it that belongs to it; undefined where nothing is. */
  readonly precision: number | undefined;
}

/** Examples whose best class has about the same probability. */
export interface CalibrationBin {
  readonly examples: number;
  /** Mean of their best class's probability; 0 without examples. */
  readonly probability: number;
  /** Fraction that is classified right; 0 without examples. */
  readonly accuracy: number;
}

/** The figures of a classifier on labelled features. */
export interface Evaluation extends ClassificationMetrics {
  readonly classes: readonly ClassReport[];
  /** [right class][class given]: examples */
  readonly confusion: readonly (readonly number[])[];
  /**
   * Expected calibration error: examples in 15 bins by the probability of the class given; the mean distance between a
   * bin's mean probability and its accuracy, weighted by its examples. Guo et al., 2017 (arXiv 1706.04599), section 2.
   */
  readonly calibrationError: number;
  /** Those bins, by probability. */
  readonly calibration: readonly CalibrationBin[];
}

const bins = 15;

/**
 * @param logits [examples, classes], row by row: the probabilities are their softmax
 * @param labels the right class of each example
 * @throws InputError if there are no examples, or labels and logits do not fit
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
    const given = best(row);
    confusion[label]![given]! += 1;
    const probability = 1 / row.reduce((sum, logit) => sum + Math.exp(logit - row[given]!), 0);
    const at = bin[Math.min(bins - 1, Math.max(0, Math.ceil(probability * bins) - 1))]!;
    at.examples += 1;
    at.probability += probability;
    at.right += given === label ? 1 : 0;
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

/** The first of the largest. */
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
  const given = confusion.reduce((sum, other) => sum + other[c]!, 0);
  return {
    examples,
    recall: examples === 0 ? undefined : row[c]! / examples,
    precision: given === 0 ? undefined : row[c]! / given,
  };
}
