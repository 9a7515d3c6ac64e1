/**
 * Figures of a model's attention and learned weights. Runs in browsers too.
 *
 * @module study
 */
export {
  classAttention,
  overlay,
  Rollout,
  tokenAttention,
  type Attention,
  type OverlayOptions,
} from "./attention.ts";
export { headStatistics, type HeadStatistics } from "./head-statistics.ts";
export { pixelsRaster } from "./pixels-raster.ts";
export { studyImage, type Study, type StudyOptions } from "./study.ts";
export { patchFilters, positionSimilarity } from "./weights.ts";
export { Raster } from "../draw/raster.ts";
