/** Evaluates a classifier on labelled examples: accuracy, confusions, and calibration. */
import { best, Confusions, type ConfusionMatrix } from "../tasks/confusions.ts";
import { ClassificationCounts, type ClassificationMetrics } from "../tasks/metrics.ts";

/** The examples whose predicted class has a probability in a certain range. */
export interface CalibrationBin {
  readonly examples: number;
  /** Mean probability of their predicted classes; 0 without examples. */
  readonly probability: number;
  /** The fraction classified correctly; 0 without examples. */
  readonly accuracy: number;
}

/** The figures of a classifier on labelled features. */
export interface Evaluation extends ClassificationMetrics, ConfusionMatrix {
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
  readonly #confusions: Confusions;
  readonly #bins = Array.from({ length: bins }, () => ({ examples: 0, probability: 0, right: 0 }));

  constructor(classes: number) {
    this.classes = classes;
    this.#counts = new ClassificationCounts(classes);
    this.#confusions = new Confusions(classes);
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
      this.#confusions.add(label, predicted);
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
      ...this.#confusions.matrix(),
      calibrationError: distances / examples,
      calibration: this.#bins.map((bin) => ({
        examples: bin.examples,
        probability: bin.probability / Math.max(bin.examples, 1),
        accuracy: bin.right / Math.max(bin.examples, 1),
      })),
    };
  }
}

/** Σ e^(logit − largest) */
function exponentials(logits: Float32Array, largest: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - largest);
  return sum;
}
