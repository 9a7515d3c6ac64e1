/**
 * Linear probes: fit a classifier to features, measure it, and compare the layers of a model. Runs in browsers too.
 *
 * @module probe
 */
export * from "./adamw.ts";
export * from "./evaluate.ts";
export * from "./fit.ts";
export { layerTaps, type LayerFigures, type LayersOptions } from "./layers.ts";
export * from "./logistic-regression.ts";
export type { Prediction, PredictOptions } from "./predict.ts";
export { decodeProbe, encodeProbe } from "./probe-file.ts";
export * from "./probe.ts";
export * from "./shots.ts";
export { splitImages } from "./split-images.ts";
export * from "./sweep.ts";
export * from "./zero-shot.ts";
