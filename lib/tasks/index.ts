/**
 * Embedding, zero-shot classification and ranking with a loaded model. Node only.
 *
 * @module tasks
 */
export {
  embedImage,
  embedImages,
  embedImageTaps,
  type EmbeddedImages,
  type EmbedImagesOptions,
  type EmbedTapsOptions,
  type ImageBatch,
  type TappedImages,
} from "./embed.ts";
export { embedTextTaps, type EmbedTextsOptions } from "./embed-texts.ts";
export { classificationMetrics, type ClassificationMetrics } from "./metrics.ts";
export { rank, rankImages, type Match, type Ranked } from "./search.ts";
export type { Pooling } from "./tapped.ts";
export {
  zeroShotClassifier,
  ZeroShotClassifier,
  zeroShotPrompts,
  type ClassScore,
  type ZeroShotOptions,
} from "./zero-shot.ts";
