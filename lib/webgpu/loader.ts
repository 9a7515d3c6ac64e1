/** The WebGPU backend: tfjs's, on a device of our own, with this project's kernels. */
import { registerBackend, removeBackend } from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { InputError } from "../errors/input-error.ts";
import { activateBackend, quietly, type BackendInfo, type BackendLoader } from "../tensor/backend.ts";
import { WebgpuDevice, describeAdapter } from "./device.ts";
import { registerWebgpuKernels } from "./kernels/index.ts";

let running: WebgpuDevice | null = null;

/** The device of the running backend, if it is webgpu. */
export function webgpuDevice(): WebgpuDevice | null {
  return running;
}

/**
 * @param provide gives the host's `GPU` object (`navigator.gpu`), or throws an InputError that says how to get one
 */
export function webgpuLoader(provide: () => GPU | Promise<GPU>): BackendLoader & { readonly name: "webgpu" } {
  return {
    name: "webgpu",
    load: async (): Promise<BackendInfo> => {
      const gpu = await provide();
      running = await WebgpuDevice.request(gpu);
      const device = running;
      const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
      await quietly(() => {
        registerWebgpuKernels();
        removeBackend("webgpu"); // tfjs's own, or one that has failed
        registerBackend("webgpu", () => guarded(new WebGPUBackend(device.device, device.info), device));
      });
      await activateBackend("webgpu");
      return { name: "webgpu", description: `webgpu on ${describeAdapter(device.info)}` };
    },
    hasFailed: () => running?.hasFailed ?? false,
  };
}

/** Makes every read report the errors of the device. Results leave the GPU by no other way. */
function guarded(backend: WebGPUBackend, device: WebgpuDevice): WebGPUBackend {
  const read = backend.read.bind(backend);
  backend.read = (dataId) => read(dataId).finally(() => device.assertValid());
  const onHost = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    const data = (backend as unknown as HostCopies).tensorMap.get(dataId);
    if (data.values !== null && data.values !== undefined) return onHost(dataId);
    device.assertNotFailed();
    throw new InputError(
      "webgpu: this computation reads results synchronously, which a GPU cannot; choose the backend wasm",
    );
  };
  return backend;
}

/** Where tfjs keeps the values that have not been uploaded, or that have been read. */
interface HostCopies {
  readonly tensorMap: { get: (dataId: object) => { readonly values: unknown } };
}
