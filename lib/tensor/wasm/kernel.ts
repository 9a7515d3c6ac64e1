/** Replaces kernels of the wasm backend. */
import { getKernel, registerKernel, unregisterKernel, type KernelFunc } from "@tensorflow/tfjs-core";

export type Call = Parameters<KernelFunc>[0];
export type Result = ReturnType<KernelFunc>;

/** @param run computes the result, or calls `plain`, tfjs's own kernel */
export function replaceKernel(kernelName: string, run: (call: Call, plain: KernelFunc) => Result): void {
  const plain = getKernel(kernelName, "wasm");
  unregisterKernel(kernelName, "wasm"); // a second registration would warn
  registerKernel({ ...plain, kernelFunc: (call) => run(call, plain.kernelFunc) });
}
