/**
 * The memory of the wasm backend: one heap of at most 4 GB.
 *
 * tfjs does not check whether an allocation succeeded: beyond the limit, every new tensor is at the address 0, and all of
 * them overwrite each other without an error.
 */
import { backend } from "@tensorflow/tfjs-core";
import { InputError } from "../../errors/input-error.ts";

interface WasmHeap {
  _malloc: (bytes: number) => number;
}

/** Sizes are 32-bit numbers: a larger one would wrap around. */
const largestAllocation = 2 ** 32 - 1;

const guarded = new WeakSet<WasmHeap>();

/** Makes allocations of the current backend, which is wasm, fail with an InputError. Can be called twice. */
export function guardWasmMemory(): void {
  const { wasm } = backend() as unknown as { readonly wasm: WasmHeap };
  if (guarded.has(wasm)) return;
  guarded.add(wasm);
  let allocate = wasm._malloc;
  const checked = (bytes: number): number => {
    const address = bytes > largestAllocation ? 0 : allocate(bytes);
    if (address === 0 && bytes > 0) {
      throw new InputError(
        `the memory of the wasm backend (4 GB) is full: ${bytes} more bytes do not fit; ` +
          "use a smaller batch size, dispose tensors, stream the weights, or choose the backend tensorflow",
      );
    }
    return address;
  };
  // Emscripten's first call replaces the function by the module's own.
  Object.defineProperty(wasm, "_malloc", {
    get: () => checked,
    set: (replacement: WasmHeap["_malloc"]) => {
      allocate = replacement;
    },
  });
}
