/** What computes the dot products of a scan. */

/** Rows of one call of a kernel: their codes fit the L2 cache, so that several queries read them from there. */
export const rowsPerBlock = 512;

/** Queries of one pass over the codes. */
export const queriesAtOnce = 16;

/** Rows of codes are padded with zeros to a multiple of this, the longest vector of a processor. */
const codesPerVector = 64;

/** The length of a row of codes. */
export function paddedWidth(width: number): number {
  return Math.ceil(width / codesPerVector) * codesPerVector;
}

/** Computes dot products of codes. */
export interface ScanKernel {
  /** For reports: "wasm", or "native" and its instruction set. */
  readonly name: string;
  /** Memory for rows of codes. @param width padded */
  allocate(rows: number, width: number): CodeMemory;
}

/** Rows of codes in a kernel's memory. */
export interface CodeMemory {
  /** [rows, padded width], to be filled by the caller. */
  readonly codes: Int8Array<ArrayBuffer>;
  /** The rows of the next call, relative to its first one; of `rowsPerBlock` numbers. */
  readonly list: Int32Array;
  /** @param queries [at most queriesAtOnce, padded width] */
  setQueries(queries: Int16Array): void;
  /**
   * The dot products of one query with the rows `first + list[0 … count]`, exact in int32.
   *
   * @param count 1 to `rowsPerBlock`
   * @returns `count` numbers, or more; valid until the next call
   */
  dots(query: number, first: number, count: number): Int32Array;
}
