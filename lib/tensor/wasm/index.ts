/** The wasm backend with kernels of ours where tfjs's are slow or imprecise. */
import { registerWasmProducts } from "./products.ts";
import { registerWasmSplit } from "./split.ts";

/** To be called once, when @tensorflow/tfjs-backend-wasm is imported. */
export function registerWasmKernels(): void {
  registerWasmProducts();
  registerWasmSplit();
}
