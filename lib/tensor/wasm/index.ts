/** Kernels for the wasm backend where tfjs's own are slow or imprecise. */
import { registerWasmProducts } from "./products.ts";
import { registerWasmSplit } from "./split.ts";

export { guardWasmMemory } from "./memory.ts";

/** Call this once, after importing @tensorflow/tfjs-backend-wasm. */
export function registerWasmKernels(): void {
  registerWasmProducts();
  registerWasmSplit();
}
