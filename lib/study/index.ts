/**
 * What happens inside a model: attention, the residual stream, weights, what an answer depends on, and interventions.
 * Figures and rasters, without files or a DOM. Runs in browsers too.
 *
 * Attention is not importance: a head may read what the answer does not depend on. A raw lens is not what the network
 * believes: its middle layers do not align with the output. Check saliency maps with `deletionCurve`.
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
export { effectOf, type Effect, type TapChange } from "./effects.ts";
export { headStatistics, type HeadStatistics } from "./head-statistics.ts";
export { interventions, type Intervention } from "./intervene.ts";
export { rangeOf, withCaption, withLegend, type Legend } from "./legend.ts";
export { lens, tokenLens, type LensScores } from "./lens.ts";
export { pixelsRaster } from "./pixels-raster.ts";
export { deletionCurve, type DeletionCurve, type DeletionOptions } from "./saliency/deletion.ts";
export { labelDirection } from "./saliency/direction.ts";
export {
  gradientTimesInput,
  integratedGradients,
  type GradientSaliency,
  type IntegratedOptions,
  type IntegratedSaliency,
} from "./saliency/gradient.ts";
export { drawMap, pooled, type SaliencyMap } from "./saliency/map.ts";
export {
  explainImage,
  saliencyMethods,
  type SaliencyMethod,
  type SaliencyOptions,
} from "./saliency/methods.ts";
export { occlusion, occlusionWindows, type Occlusion, type OcclusionOptions } from "./saliency/occlusion.ts";
export {
  imageRelevance,
  textRelevance,
  type ImageRelevance,
  type TextRelevance,
} from "./saliency/relevance.ts";
export { leaveOneOut, tokenGradients, type TokenSaliency } from "./saliency/tokens.ts";
export { patchGrid, shownImage } from "./shown-image.ts";
export {
  blockSteps,
  imageStream,
  resumable,
  stateCosines,
  StreamRecorder,
  textStream,
  tokenCosines,
  tokenNorms,
  type BlockStep,
  type OneInput,
  type ResidualStream,
  type Resumable,
} from "./stream.ts";
export { studyImage, type Study, type StudyOptions } from "./study.ts";
export { summarize } from "./summary.ts";
export type { Matrix, TapSummary } from "../trace/tap-summary.ts";
export {
  causalTrace,
  sweepHeads,
  type CausalTrace,
  type CausalTraceOptions,
  type HeadSweep,
  type HeadSweepOptions,
  type SweepOptions,
} from "./sweep.ts";
export {
  filterSheet,
  headNorms,
  patchFilters,
  positionCosines,
  positionSimilarity,
  tensorHistogram,
  type FilterOptions,
  type HeadNorms,
  type Histogram,
  type ScaleOptions,
} from "./weights.ts";
export { diverging, heat, heatMap, Raster, type Color, type ColorMap } from "../draw/raster.ts";
export { scaleOf, shortNumber, signedScaleOf, type Scale } from "../draw/scale.ts";
