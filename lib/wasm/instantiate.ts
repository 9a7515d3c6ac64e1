/**
 * Starts the package's own WebAssembly modules. Their sources are in tools/wasm/kernels, and the compiled modules are in
 * `modules/`, as text, because every host can import that.
 */

/** A module's memory and functions. Addresses and sizes are numbers, in bytes. */
export type WasmKernels<Name extends string> = Readonly<Record<Name, (...values: number[]) => number>> & {
  readonly memory: WebAssembly.Memory;
};

/**
 * Compiles and starts a module in the calling thread. Modules are a few kilobytes, so that this takes about a
 * millisecond and browsers allow it in any thread.
 *
 * @param base64 from `modules/`
 * @returns undefined if the host has no WebAssembly, or lacks instructions that the module uses
 */
export function instantiate<Name extends string>(base64: string): WasmKernels<Name> | undefined {
  if (!("WebAssembly" in globalThis)) return undefined;
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return exports as unknown as WasmKernels<Name>;
}

const pageSize = 1 << 16;

/** Makes a memory have at least this many bytes. Views of it from before are then empty. */
export function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageSize));
}
