/** Fits probes on labelled features, and records how they were made. */
import { classificationMetrics } from "../tasks/metrics.ts";
import { fitAdamw, type AdamwOptions, type Trial } from "./adamw.ts";
import { classCount, concatRows, normalizeRows, type LabelledFeatures } from "../features/features.ts";
import { fitLogisticRegression, clipC, type LogisticRegressionOptions } from "./logistic-regression.ts";
import { Probe } from "./probe.ts";

/** A probe and its accuracy on the training features. */
export interface FittedProbe {
  readonly probe: Probe;
  /** The fraction of the training rows that are classified correctly. */
  readonly trainingAccuracy: number;
}

/** A probe fitted by logistic regression. */
export interface FittedByRegression extends FittedProbe {
  readonly iterations: number;
  /** False if the fit stopped at `maxIterations`, before the minimum. */
  readonly converged: boolean;
}

/** Fits a probe by logistic regression. @throws InputError as `fitLogisticRegression` */
export function fitProbe(
  features: LabelledFeatures,
  options: LogisticRegressionOptions = {},
): FittedByRegression {
  const { iterations, converged, ...classifier } = fitLogisticRegression(features, options);
  const { C = clipC, maxIterations = 1000, classWeight } = options;
  const settings = { C, maxIterations, iterations, converged, ...(classWeight && { classWeight }) };
  return { ...probeOf(features, classifier, "logistic-regression", settings), iterations, converged };
}

/** A probe fitted by CLIP_benchmark's recipe. */
export interface FittedByAdamw extends FittedProbe {
  readonly weightDecay: number;
  /** The weight decays that the search tried; empty without a validation split. */
  readonly trials: readonly Trial[];
}

/**
 * Fits a probe as CLIP_benchmark does, on normalised features; others are normalised first.
 *
 * @param validation for the search of the weight decay, made like the features; null: no search, weight decay 0
 * @throws InputError as `fitAdamw`
 */
export function fitClipBenchmarkProbe(
  features: LabelledFeatures,
  validation: LabelledFeatures | null,
  options: AdamwOptions = {},
): FittedByAdamw {
  const train = normalizeRows(features);
  const kept = validation && normalizeRows(validation);
  const { weightDecay, trials, ...classifier } = fitAdamw(train, kept, options);
  const { learningRate = 0.1, epochs = 10, batchSize = 64, seed = 0 } = options;
  const settings = { learningRate, epochs, batchSize, seed, weightDecay };
  const all = kept === null ? train : concatRows(train, kept);
  return { ...probeOf(all, classifier, "clip-benchmark", settings), weightDecay, trials };
}

/** A fitted classifier with its metadata. */
function probeOf(
  features: LabelledFeatures,
  { weight, bias }: { readonly weight: ArrayLike<number>; readonly bias: ArrayLike<number> },
  recipe: string,
  settings: Readonly<Record<string, unknown>>,
): FittedProbe {
  const { name, classNames, labels } = features;
  const parts = { name, weight: Float32Array.from(weight), bias: Float32Array.from(bias), classNames };
  const logits = new Probe({ ...parts, metadata: {} }).logits(features);
  const trainingAccuracy = classificationMetrics(logits, labels, classCount(features)).acc1;
  // Without the paths, which can be many times as large as the classifier.
  const origin = Object.entries(features.metadata).filter(([key]) => key !== "paths");
  const metadata = {
    ...Object.fromEntries(origin),
    recipe,
    settings: JSON.stringify(settings),
    training_accuracy: `${trainingAccuracy}`,
  };
  return { probe: new Probe({ ...parts, metadata }), trainingAccuracy };
}
