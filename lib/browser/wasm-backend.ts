/** tfjs's wasm backend in a page or a worker, with this project's kernels. */
import { env } from "@tensorflow/tfjs-core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { activateBackend, quietly, type BackendInfo, type BackendLoader } from "../tensor/backend.ts";
import { guardWasmMemory, registerWasmKernels } from "../tensor/wasm/index.ts";

/** Addresses of the builds. */
export interface WasmFiles {
  readonly simd: string;
  readonly plain: string;
}

/**
 * One thread: tfjs starts threads from a script in a Blob, which a content security policy without `blob:` forbids, and
 * shared memory needs headers that static hosts do not send.
 */
export function wasmLoader({ simd, plain }: WasmFiles): BackendLoader {
  return {
    name: "wasm",
    load: async (): Promise<BackendInfo> => {
      env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
      setWasmPaths({
        "tfjs-backend-wasm.wasm": plain,
        "tfjs-backend-wasm-simd.wasm": simd,
        "tfjs-backend-wasm-threaded-simd.wasm": simd, // tfjs asks for all three; this one is never loaded
      });
      await quietly(() => {
        registerWasmKernels();
      });
      await activateBackend("wasm");
      guardWasmMemory();
      const hasSimd = await env().getAsync("WASM_HAS_SIMD_SUPPORT");
      return { name: "wasm", description: `wasm ${hasSimd ? "with" : "without"} SIMD, 1 thread` };
    },
  };
}
