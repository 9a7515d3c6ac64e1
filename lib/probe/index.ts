/**
 * Linear probes: fit a classifier to features, measure it, and compare the layers of a model. Runs in browsers too.
 *
 * @module probe
 */
export * from "./adamw.ts";
export * from "./cross-validate.ts";
export * from "./evaluate.ts";
export * from "./fit.ts";
export { adapt, adaptMethods, type Adapted, type AdaptMethod, type AdaptOptions } from "./adapt.ts";
export { layerTaps, type LayerFigures, type LayersOptions } from "./layers.ts";
export * from "./logistic-regression.ts";
export { meanInterval, studentQuantile, type Interval } from "./interval.ts";
export type { Linear } from "./logits.ts";
export {
  featureProbabilities,
  predictFeatures,
  type Prediction,
  type PredictOptions,
  type ProbabilityBlock,
} from "./predict.ts";
export { csvRows, csvTitles } from "./predictions-csv.ts";
export { decodeProbe, encodeProbe } from "./probe-file.ts";
export * from "./probe.ts";
export * from "./shots.ts";
export { splitImages } from "./split-images.ts";
export * from "./sweep.ts";
export { type FeatureCache } from "./feature-cache.ts";
export { textHead, zeroShotHead } from "./text-head.ts";
export {
  fitTipAdapter,
  searchFactors,
  tipAdapter,
  type CacheFactors,
  type FoundFactors,
} from "./tip-adapter.ts";
export { fitTipAdapterF, type TipTrainingOptions } from "./tip-adapter-f.ts";
export { fitZeroShotHead, type FittedHead, type TextHead } from "./zero-shot-head.ts";
export * from "./zero-shot.ts";
