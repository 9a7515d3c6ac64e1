/** clipscope under Node. */
import "./node/tap-scope.ts";

export * from "./clip/index.ts";
export * from "./tensor/index.ts";
export { startNodeBackend } from "./node/backends.ts";
export { demoModel, loadModel, type LoadOptions } from "./node/load-model.ts";
