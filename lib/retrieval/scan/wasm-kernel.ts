/**
 * The kernel of the scan in WebAssembly SIMD, in Node and in browsers. The arithmetic is in tools/wasm/kernels/scan.ts; this
 * file lays out the memory.
 */
import { InputError } from "../../errors/input-error.ts";
import { growTo, instantiate, type WasmKernels } from "../../wasm/instantiate.ts";
import { base64 } from "../../wasm/modules/scan.ts";
import { queriesAtOnce, rowsPerBlock, type CodeMemory, type ScanKernel } from "./kernel.ts";

/** Rows that the kernel computes together. */
const rowsAtOnce = 4;

/** The first address in use. */
const firstAddress = 64;

/** A kernel whose memories are WebAssembly's, of at most 4 GiB each. */
export const wasmKernel: ScanKernel = {
  name: "wasm",
  allocate: (rows, width) => new WasmCodes(rows, width),
};

class WasmCodes implements CodeMemory {
  readonly codes: Int8Array<ArrayBuffer>;
  readonly list: Int32Array;
  readonly #out: Int32Array;
  readonly #queries: Int16Array;
  readonly #stride: number;
  readonly #kernels: WasmKernels<"dots">;

  /** @throws InputError if the host lacks the instructions, which Node and all current browsers have */
  constructor(rows: number, width: number) {
    const kernels = instantiate<"dots">(base64);
    if (kernels === undefined)
      throw new InputError("the scan needs WebAssembly with SIMD, which this host lacks; use a newer one");
    const list = firstAddress;
    const out = list + 4 * rowsPerBlock;
    const queries = out + 4 * rowsPerBlock;
    const codes = queries + 2 * queriesAtOnce * width;
    growTo(kernels.memory, codes + rows * width);
    // The memory does not grow again, so that these views stay valid.
    const buffer = kernels.memory.buffer;
    this.list = new Int32Array(buffer, list, rowsPerBlock);
    this.#out = new Int32Array(buffer, out, rowsPerBlock);
    this.#queries = new Int16Array(buffer, queries, queriesAtOnce * width);
    this.codes = new Int8Array(buffer, codes, rows * width);
    this.#stride = width;
    this.#kernels = kernels;
  }

  setQueries(queries: Int16Array): void {
    this.#queries.set(queries);
  }

  dots(query: number, first: number, count: number): Int32Array {
    const { list } = this;
    const padded = Math.ceil(count / rowsAtOnce) * rowsAtOnce;
    list.fill(list[count - 1]!, count, padded);
    this.#kernels.dots(
      this.codes.byteOffset + first * this.#stride,
      list.byteOffset,
      list.byteOffset + 4 * padded,
      this.#stride,
      this.#queries.byteOffset + 2 * query * this.#stride,
      this.#out.byteOffset,
    );
    return this.#out;
  }
}
