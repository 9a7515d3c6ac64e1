/** The kernel of this process: the native one if it is built, else WebAssembly. */
import type { ScanKernel } from "../../../retrieval/scan/kernel.ts";
import { wasmKernel } from "../../../retrieval/scan/wasm-kernel.ts";

/** @param name "wasm" for WebAssembly in any case; default: the fastest */
export function scanKernel(_name: string | null = null): ScanKernel {
  return wasmKernel();
}
