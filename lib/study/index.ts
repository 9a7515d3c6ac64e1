/**
 * Figures of a model's attention and learned weights. Runs in browsers too.
 *
 * @module study
 */
export { classAttention, overlay, Rollout, type Attention } from "./attention.ts";
export { studyImage, type Study, type StudyOptions } from "./study.ts";
export { patchFilters, positionSimilarity } from "./weights.ts";
export { Raster } from "../draw/raster.ts";
