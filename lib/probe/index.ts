/** Linear probes: classifiers on features, and how good they are. Runs in a browser too. */
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
