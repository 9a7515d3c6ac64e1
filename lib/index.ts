/** clipscope under Node. */
import "./node/tap-scope.ts";

export * from "./clip/index.ts";
export * from "./features/index.ts";
export * from "./probe/index.ts";
export * from "./tasks/index.ts";
export * from "./tensor/index.ts";
export { startNodeBackend } from "./node/backends/backends.ts";
export {
  embedImagesToFile,
  embedTextsToFile,
  readFeatures,
  writeFeatures,
} from "./node/features/features-files.ts";
export { openProbe, predictImage, predictImages, probeLayers, saveProbe } from "./node/features/probes.ts";
export { nodeCodecs } from "./node/images/codecs.ts";
export {
  embedImage,
  embedImages,
  embedImageTaps,
  rankImages,
  type EmbedImagesOptions,
  type EmbedTapsOptions,
} from "./node/images/embed-images.ts";
export { imageLoader, type ImageLoader, type ImageLoaderOptions } from "./node/images/image-loader.ts";
export { loadModel, type LoadOptions } from "./node/models/load-model.ts";
export { demoModel } from "./node/models/model-directory.ts";
export type { PulledFile, PullOptions, PullReport } from "./node/hub/pull.ts";
export { pullModel } from "./node/models/pull-model.ts";
export { readImages } from "./node/images/read-images.ts";
