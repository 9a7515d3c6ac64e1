/** Linear probes: features of images, classifiers on them, and how good those are. Under Node. */
export * from "./embed-to-file.ts";
export * from "./evaluate.ts";
export * from "./features.ts";
export * from "./logistic-regression.ts";
export * from "./probe.ts";
