/** Fits probes on labelled features, and records how they were made. */
import { fitAdamw, type AdamwOptions, type Trial } from "./adamw.ts";
import { concatRows, normalizeRows, type LabelledFeatures } from "../features/features.ts";
import { clipC, fitLogisticRegression, type LogisticRegressionOptions } from "./logistic-regression.ts";
import { accuracyOf, type Linear } from "./logits.ts";
import { Probe } from "./probe.ts";

/** A probe and its accuracy on the training features. */
export interface FittedProbe {
  readonly probe: Probe;
  /** The fraction of the training rows that are classified correctly. */
  readonly trainingAccuracy: number;
}

/** A probe that is fitted and not measured yet. A program can save it first: the fit can take hours. */
export interface UnmeasuredProbe {
  /** The probe, without `training_accuracy` in its metadata. */
  readonly probe: Probe;
  /** Measures the probe on the rows that it was fitted on. */
  readonly measure: () => FittedProbe;
}

/** How a logistic regression ended. */
export interface RegressionEnd {
  readonly iterations: number;
  /** False if the fit stopped before the minimum: at `maxIterations`, or because float32 is not precise enough. */
  readonly converged: boolean;
}

/** A probe fitted by logistic regression. */
export interface FittedByRegression extends FittedProbe, RegressionEnd {}

/** Fits a probe by logistic regression, and measures it. @throws InputError as `fitLogisticRegression` */
export function fitProbe(
  features: LabelledFeatures,
  options: LogisticRegressionOptions = {},
): FittedByRegression {
  const { measure, iterations, converged } = fitRegressionProbe(features, options);
  return { ...measure(), iterations, converged };
}

/** The first half of `fitProbe`. @throws InputError as `fitLogisticRegression` */
export function fitRegressionProbe(
  features: LabelledFeatures,
  options: LogisticRegressionOptions = {},
): UnmeasuredProbe & RegressionEnd {
  const { iterations, converged, ...classifier } = fitLogisticRegression(features, options);
  const { C = clipC, maxIterations = 1000, classWeight } = options;
  const settings = { C, maxIterations, iterations, converged, ...(classWeight && { classWeight }) };
  return { ...probeOf(features, classifier, "logistic-regression", settings), iterations, converged };
}

/** How a fit by CLIP_benchmark's recipe ended. */
export interface AdamwEnd {
  readonly weightDecay: number;
  /** The weight decays that the search tried; empty without a validation split. */
  readonly trials: readonly Trial[];
}

/** A probe fitted by CLIP_benchmark's recipe. */
export interface FittedByAdamw extends FittedProbe, AdamwEnd {}

/**
 * Fits a probe as CLIP_benchmark does, on normalised features, and measures it; others are normalised first.
 *
 * @param validation for the search of the weight decay, made like the features; null: no search, weight decay 0
 * @throws InputError as `fitAdamw`
 */
export function fitClipBenchmarkProbe(
  features: LabelledFeatures,
  validation: LabelledFeatures | null,
  options: AdamwOptions = {},
): FittedByAdamw {
  const { measure, weightDecay, trials } = fitAdamwProbe(features, validation, options);
  return { ...measure(), weightDecay, trials };
}

/** The first half of `fitClipBenchmarkProbe`. @throws InputError as `fitAdamw` */
export function fitAdamwProbe(
  features: LabelledFeatures,
  validation: LabelledFeatures | null,
  options: AdamwOptions = {},
): UnmeasuredProbe & AdamwEnd {
  const train = normalizeRows(features);
  const kept = validation && normalizeRows(validation);
  const { weightDecay, trials, ...classifier } = fitAdamw(train, kept, options);
  const { learningRate = 0.1, epochs = 10, batchSize = 64, seed = 0 } = options;
  const settings = { learningRate, epochs, batchSize, seed, weightDecay };
  const all = kept === null ? train : concatRows(train, kept);
  return { ...probeOf(all, classifier, "clip-benchmark", settings), weightDecay, trials };
}

/** A fitted classifier with its metadata. */
export function probeOf(
  features: LabelledFeatures,
  classifier: Linear,
  recipe: string,
  settings: Readonly<Record<string, unknown>>,
): UnmeasuredProbe {
  const { name, classNames, classIds } = features;
  // Without the paths, which can be many times as large as the classifier.
  const origin = Object.fromEntries(
    Object.entries(features.metadata).filter(([name]) => name !== "paths" && name !== "class_ids"),
  );
  const parts = {
    name,
    weight: Float32Array.from(classifier.weight),
    bias: Float32Array.from(classifier.bias),
    ...(classifier.cache && { cache: classifier.cache }),
    classNames,
    ...(classIds && { classIds }),
    metadata: { ...origin, recipe, settings: JSON.stringify(settings) },
  };
  const measure = (): FittedProbe => {
    const trainingAccuracy = accuracyOf(parts, features);
    const metadata = { ...parts.metadata, training_accuracy: `${trainingAccuracy}` };
    return { probe: new Probe({ ...parts, metadata }), trainingAccuracy };
  };
  return { probe: new Probe(parts), measure };
}
