/** From labelled features to a probe: the recipe runs, and the probe says what made it. */
import { classificationMetrics } from "../tasks/metrics.ts";
import { classCount, type LabelledFeatures } from "./features.ts";
import { fitLogisticRegression, clipC, type LogisticRegressionOptions } from "./logistic-regression.ts";
import { Probe } from "./probe.ts";

export interface FittedProbe {
  readonly probe: Probe;
  /** Fraction of the training rows that are classified right. */
  readonly trainingAccuracy: number;
}

export interface FittedByRegression extends FittedProbe {
  readonly iterations: number;
  /** False where the iterations ran out before the minimum. */
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

/** A fitted classifier with what it comes from. */
export function probeOf(
  features: LabelledFeatures,
  { weight, bias }: { readonly weight: ArrayLike<number>; readonly bias: ArrayLike<number> },
  recipe: string,
  settings: Readonly<Record<string, unknown>>,
): FittedProbe {
  const { name, classNames, labels } = features;
  const parts = { name, weight: Float32Array.from(weight), bias: Float32Array.from(bias), classNames };
  const logits = new Probe({ ...parts, metadata: {} }).logits(features);
  const trainingAccuracy = classificationMetrics(logits, labels, classCount(features)).acc1;
  // Where the training examples come from is not the probe's: a file of a million paths for a small classifier.
  const { paths: _, ...origin } = features.metadata;
  const metadata = {
    ...origin,
    recipe,
    settings: JSON.stringify(settings),
    training_accuracy: `${trainingAccuracy}`,
  };
  return { probe: new Probe({ ...parts, metadata }), trainingAccuracy };
}
