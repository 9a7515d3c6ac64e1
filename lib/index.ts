/** clipscope under Node. */
import "./node/tap-scope.ts";

export * from "./clip/index.ts";
export * from "./probe/index.ts";
export * from "./tasks/index.ts";
export * from "./tensor/index.ts";
export { startNodeBackend } from "./node/backends.ts";
export { nodeCodecs } from "./node/codecs.ts";
export {
  imageLoader,
  type ImageLoader,
  type ImageLoaderOptions,
  type LoadedImage,
} from "./node/image-loader.ts";
export { loadModel, type LoadOptions } from "./node/load-model.ts";
export { demoModel } from "./node/model-directory.ts";
export type { PulledFile, PullOptions, PullReport } from "./node/hub/pull.ts";
export { pullModel } from "./node/pull-model.ts";
export { readImages } from "./node/read-images.ts";
