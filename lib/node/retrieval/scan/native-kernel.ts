/**
 * The kernel of the scan in C++, from a native build (tools/native/kernels/scan.cc). Its sums are the same integers as those
 * of the kernel in WebAssembly.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  queriesAtOnce,
  rowsPerBlock,
  type CodeMemory,
  type ScanKernel,
} from "../../../retrieval/scan/kernel.ts";
import { buildLayout, nativeBuilds } from "../../native/native-build.ts";

const require = createRequire(import.meta.url);

/** Computes the dot products of a query with listed rows. @throws RangeError for rows outside the memory */
type Dots = (query: number, first: number, count: number) => void;

/** The addon of a native build. */
interface ScanAddon {
  /** The instruction set that it uses on this processor. */
  readonly instructions: string;
  /** Memory on large pages where the system has them. */
  allocate(bytes: number): ArrayBuffer;
  /** @param stride bytes of a row of codes */
  bind(codes: Int8Array, list: Int32Array, queries: Int16Array, out: Int32Array, stride: number): Dots;
}

let loaded: ScanKernel | null | undefined;

/** @returns null without a native build */
export function nativeScanKernel(): ScanKernel | null {
  return loaded === undefined ? (loaded = load()) : loaded;
}

function load(): ScanKernel | null {
  const [build] = nativeBuilds();
  if (build === undefined) return null;
  const addon = require(join(build.folder, buildLayout.scan)) as ScanAddon;
  return {
    name: `native, ${addon.instructions}`,
    allocate: (rows, width) => new NativeCodes(addon, rows, width),
  };
}

class NativeCodes implements CodeMemory {
  readonly codes: Int8Array<ArrayBuffer>;
  readonly list = new Int32Array(rowsPerBlock);
  readonly #out = new Int32Array(rowsPerBlock);
  readonly #queries: Int16Array;
  readonly #dots: Dots;

  constructor(addon: ScanAddon, rows: number, width: number) {
    this.codes = new Int8Array(addon.allocate(rows * width));
    this.#queries = new Int16Array(queriesAtOnce * width);
    this.#dots = addon.bind(this.codes, this.list, this.#queries, this.#out, width);
  }

  setQueries(queries: Int16Array): void {
    this.#queries.set(queries);
  }

  dots(query: number, first: number, count: number): Int32Array {
    this.#dots(query, first, count);
    return this.#out;
  }
}
