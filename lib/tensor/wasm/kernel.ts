/** Own kernels in the place of the wasm backend's. */
import { getKernel, registerKernel, unregisterKernel, type KernelFunc } from "@tensorflow/tfjs-core";

export type Call = Parameters<KernelFunc>[0];
export type Result = ReturnType<KernelFunc>;

/** @param run computes, or has tfjs's own kernel do it */
export function replaceKernel(kernelName: string, run: (call: Call, plain: KernelFunc) => Result): void {
  const plain = getKernel(kernelName, "wasm");
  unregisterKernel(kernelName, "wasm"); // a second registration would warn
  registerKernel({ ...plain, kernelFunc: (call) => run(call, plain.kernelFunc) });
}
