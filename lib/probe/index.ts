/** Linear probes: features of images, classifiers on them, and how good those are. Under Node. */
export * from "./adamw.ts";
export * from "../features/embed-to-file.ts";
export * from "./evaluate.ts";
export * from "../features/features.ts";
export * from "./fit.ts";
export * from "./layers.ts";
export * from "./logistic-regression.ts";
export * from "./probe.ts";
export * from "./shots.ts";
export * from "./sweep.ts";
export * from "./zero-shot.ts";
