/**
 * Linear probes: fit a classifier to features, measure it, and compare the layers of a model. Node only.
 *
 * @module probe
 */
export {
  fitAdamw,
  trainAdamw,
  weightDecays,
  type AdamwOptions,
  type FittedAdamw,
  type Trial,
} from "./adamw.ts";
export { evaluateClassifier, type CalibrationBin, type ClassReport, type Evaluation } from "./evaluate.ts";
export {
  fitClipBenchmarkProbe,
  fitProbe,
  type FittedByAdamw,
  type FittedByRegression,
  type FittedProbe,
} from "./fit.ts";
export { layerTaps, probeLayers, splitImages, type LayerFigures, type LayersOptions } from "./layers.ts";
export {
  clipC,
  fitLogisticRegression,
  type FittedRegression,
  type LinearClassifier,
  type LogisticRegressionOptions,
} from "./logistic-regression.ts";
export { Probe, type Prediction, type PredictOptions, type ProbeParts } from "./probe.ts";
export { takeShots } from "./shots.ts";
export { sweepC, sweptC, type Sweep, type SweepOptions, type SweepRow } from "./sweep.ts";
export { evaluateZeroShot } from "./zero-shot.ts";
