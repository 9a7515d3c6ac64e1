/**
 * A linear head that begins as the zero-shot classifier and is held close to it.
 *
 * W minimises 1/n Σ_i CE(W x_i, y_i) + λ/2 ‖W − s T‖² / s² on normalised features x, with the unit embeddings T of the
 * classes' names and the logit scale s. There is no bias. With λ → ∞ it is the zero-shot classifier.
 * Paper: Silva-Rodríguez et al., "A Closer Look at the Few-Shot Adaptation of Large Vision-Language Models", 2024
 * (arXiv 2312.12730): the penalty towards the text embeddings; one λ for all classes here.
 */
import { normalizeRows, type LabelledFeatures } from "../features/features.ts";
import { minimize } from "./lbfgs.ts";
import { rowsPerClass, type LinearClassifier } from "./logistic-regression.ts";
import { logitBlocks } from "./logits.ts";
import { smallestClass, stratifiedFolds } from "./folds.ts";
import { SoftmaxLoss } from "./softmax-loss.ts";

/** The zero-shot classifier. */
export interface TextHead {
  /** Unit embeddings of the classes [classes, width] in row-major order. */
  readonly embeddings: Float32Array;
  /** exp(logit_scale) */
  readonly scale: number;
}

/** The penalties that are tried, from the weakest. */
export const penalties: readonly number[] = Array.from({ length: 11 }, (_, i) => 10 ** (i / 2 - 1));

/** The penalty where nothing is held out: one example per class. */
export const defaultPenalty = 100;

const mostFolds = 5;

export interface FittedHead extends LinearClassifier {
  readonly penalty: number;
  /** The mean cross-entropy on held-out rows by penalty; empty if the penalty was given, or nothing is held out. */
  readonly trials: readonly { readonly penalty: number; readonly loss: number }[];
}

/**
 * Minimises with one penalty, in float64 for small problems.
 *
 * @param features normalised
 * @throws InputError for a class without rows
 */
export function minimizeHead(features: LabelledFeatures, head: TextHead, penalty: number): LinearClassifier {
  const { scale } = head;
  const classes = rowsPerClass(features).length;
  const loss = new SoftmaxLoss(features, features.labels, classes);
  const weights = head.embeddings.length;
  const start = new Float64Array(loss.parameters); // the bias stays 0
  for (const [i, value] of head.embeddings.entries()) start[i] = scale * value;
  const origin = start.slice();
  const strength = penalty / scale ** 2;
  const objective = (x: Float64Array, gradient: Float64Array): number => {
    let value = loss.evaluate(x, gradient) / features.rows;
    for (let i = 0; i < weights; i++) {
      const away = x[i]! - origin[i]!;
      value += (strength / 2) * away * away;
      gradient[i] = gradient[i]! / features.rows + strength * away;
    }
    gradient.fill(0, weights);
    return value;
  };
  const isFloat64 = loss.precision === "float64";
  const { x } = minimize(objective, start, {
    tolerance: isFloat64 ? 1e-9 : 1e-7,
    maxIterations: 1000,
    precision: isFloat64 ? 2 ** -52 : 2 ** -23,
    acceptable: isFloat64 ? 1e-7 : 1e-5,
  });
  return { weight: x.slice(0, weights), bias: new Float64Array(classes) };
}

/**
 * Fits the head. Without a penalty, the one with the smallest mean cross-entropy on held-out rows is chosen: those of the
 * validation split, else of up to five folds of the training rows; with one example per class, `defaultPenalty`.
 *
 * @param features embeddings of images with one class or more examples of each
 * @param validation with the classes of the features; null: folds
 * @throws InputError as `minimizeHead`
 */
export function fitZeroShotHead(
  features: LabelledFeatures,
  head: TextHead,
  validation: LabelledFeatures | null,
  {
    penalty,
    onFit,
  }: { readonly penalty?: number; readonly onFit?: (done: number, all: number) => void } = {},
): FittedHead {
  const train = normalizeRows(features);
  if (penalty !== undefined) return { ...minimizeHead(train, head, penalty), penalty, trials: [] };
  const splits = validation ? [{ train, test: normalizeRows(validation) }] : foldsOf(train);
  if (splits.length === 0) {
    return { ...minimizeHead(train, head, defaultPenalty), penalty: defaultPenalty, trials: [] };
  }
  let done = 0;
  const trials = penalties.map((tried) => {
    const losses = splits.map((split) => {
      const loss = crossEntropy(minimizeHead(split.train, head, tried), split.test);
      onFit?.(++done, penalties.length * splits.length);
      return loss;
    });
    return { penalty: tried, loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length };
  });
  const best = trials.reduce((least, one) => (one.loss < least.loss ? one : least));
  return { ...minimizeHead(train, head, best.penalty), penalty: best.penalty, trials };
}

function foldsOf(features: LabelledFeatures): { train: LabelledFeatures; test: LabelledFeatures }[] {
  const fewest = rowsPerClass(features).reduce((least, count) => Math.min(least, count), Infinity);
  if (fewest < 2) return [];
  return [...stratifiedFolds(features, Math.min(mostFolds, smallestClass(features)))];
}

/** The mean of −log p of the true class. */
function crossEntropy(classifier: LinearClassifier, test: LabelledFeatures): number {
  const classes = classifier.bias.length;
  let sum = 0;
  for (const { start, end, logits } of logitBlocks(classifier, test)) {
    for (let row = start; row < end; row++) {
      const own = logits.subarray((row - start) * classes, (row - start + 1) * classes);
      const most = own.reduce((largest, logit) => Math.max(largest, logit), -Infinity);
      const total = own.reduce((all, logit) => all + Math.exp(logit - most), 0);
      sum += Math.log(total) + most - own[test.labels[row]!]!;
    }
  }
  return sum / test.rows;
}
