/** The WebGPU backend, in browsers and under Node. */
export { describeAdapter } from "./device.ts";
export { webgpuDevice, webgpuLoader } from "./loader.ts";
