/**
 * Embedding, zero-shot classification and ranking with a loaded model. Runs in browsers too.
 *
 * @module tasks
 */
export * from "./embed-images.ts";
export { embedTextTaps, type EmbedTextsOptions } from "./embed-texts.ts";
export {
  fileOf,
  inputName,
  nameOf,
  type FilePart,
  type ImageContent,
  type ImageInput,
  type ImageSource,
  type NamedImage,
} from "./image-source.ts";
export { BatchQueue, QueueFullError, type BatchQueueOptions } from "./batch-queue.ts";
export { BatchedEncoder, type BatchedCallOptions, type BatchedEncoderOptions } from "./batched-encoder.ts";
export { Best } from "./best.ts";
export {
  classEmbeddings,
  type ClassEmbeddings,
  type ClassEmbeddingsOptions,
  type EmbedTexts,
} from "./class-embeddings.ts";
export type { ClassReport, ConfusionMatrix } from "./confusions.ts";
export { classificationMetrics, type ClassificationMetrics } from "./metrics.ts";
export * from "./search.ts";
export type { Pooling } from "./tapped.ts";
export {
  zeroShotClassifier,
  ZeroShotClassifier,
  zeroShotPrompts,
  type ClassScore,
  type ZeroShotOptions,
} from "./zero-shot.ts";
