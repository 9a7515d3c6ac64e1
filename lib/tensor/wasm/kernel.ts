/** Own kernels in the place of the wasm backend's. */
import { getKernel, registerKernel, unregisterKernel, type KernelFunc } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./matrices.ts";

export type Call = Parameters<KernelFunc>[0];
export type Result = ReturnType<KernelFunc>;

/**
 * @param run computes, or has tfjs's own kernel do it
 * @param setup called with the backend when tfjs starts it
 */
export function replaceKernel(
  kernelName: string,
  run: (call: Call, plain: KernelFunc) => Result,
  setup?: (backend: WasmBackend) => void,
): void {
  const plain = getKernel(kernelName, "wasm");
  unregisterKernel(kernelName, "wasm"); // a second registration would warn
  registerKernel({
    ...plain,
    setupFunc: (backend) => {
      plain.setupFunc?.(backend);
      setup?.(backend as WasmBackend);
    },
    kernelFunc: (call) => run(call, plain.kernelFunc),
  });
}
