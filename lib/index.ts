/** clipscope under Node. */
import "./node/tap-scope.ts";

export * from "./clip/index.ts";
export * from "./probe/index.ts";
export * from "./tasks/index.ts";
export * from "./tensor/index.ts";
export { startNodeBackend } from "./node/backends.ts";
export { loadModel, type LoadOptions } from "./node/load-model.ts";
export { demoModel } from "./node/model-directory.ts";
