/** The WebGPU backend, in browsers and under Node. */
export { listAdapters, type Adapter } from "./device.ts";
export { webgpuDevice, webgpuLoader } from "./loader.ts";
