/** Which kernel scans. */
import type { ScanKernel } from "../../../retrieval/scan/kernel.ts";
import { wasmKernel } from "../../../retrieval/scan/wasm-kernel.ts";
import { nativeScanKernel } from "./native-kernel.ts";

/** The kernel of a scan: in C++, in WebAssembly, or the faster one that is there. */
export type KernelChoice = "auto" | "native" | "wasm";

/**
 * The kernel, which each thread opens for itself.
 *
 * @param choice auto: native where a native build has it, else wasm. Both give the same results
 */
export function scanKernel(choice: KernelChoice): ScanKernel {
  if (choice === "wasm") return wasmKernel;
  const native = nativeScanKernel();
  if (native === null && choice === "native") throw new Error("there is no native build with a scan kernel");
  return native ?? wasmKernel;
}
