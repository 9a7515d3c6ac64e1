/** WebGPU in a page or a worker. A module of its own: it is loaded only when it is chosen. */
import { InputError } from "../errors/input-error.ts";
import type { BackendLoader } from "../tensor/backend.ts";
import type { GpuLimits } from "../tensor/gpu-limits.ts";
import { webgpuDevice, webgpuLoader } from "../webgpu/index.ts";

export const browserWebgpuLoader: BackendLoader = webgpuLoader(() => {
  // Undefined in browsers without WebGPU, and on pages that are neither local nor served over HTTPS.
  const { gpu } = navigator as { readonly gpu?: GPU };
  if (gpu === undefined) {
    throw new InputError("webgpu: this browser has no WebGPU; choose the backend wasm");
  }
  return gpu;
});

/** The limits of the running device. @throws Error if webgpu does not run */
export function webgpuLimits(): GpuLimits {
  const running = webgpuDevice();
  if (running === null) throw new Error("webgpu has not been started");
  return running.device.limits;
}
