/** clipscope under Node. */
import "./node/tap-scope.ts";

export * from "./clip/index.ts";
export * from "./probe/index.ts";
export * from "./tasks/index.ts";
export * from "./tensor/index.ts";
export { startNodeBackend } from "./node/backends/backends.ts";
export { nodeCodecs } from "./node/images/codecs.ts";
export {
  imageLoader,
  type ImageLoader,
  type ImageLoaderOptions,
  type LoadedImage,
} from "./node/images/image-loader.ts";
export { loadModel, type LoadOptions } from "./node/models/load-model.ts";
export { demoModel } from "./node/models/model-directory.ts";
export type { PulledFile, PullOptions, PullReport } from "./node/hub/pull.ts";
export { pullModel } from "./node/models/pull-model.ts";
export { readImages } from "./node/images/read-images.ts";
