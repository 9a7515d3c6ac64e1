/** Scans all pairs of rows for those whose similarity may reach a threshold, on int8 codes. */
import {
  paddedWidth,
  queriesAtOnce,
  rowsPerBlock,
  type CodeMemory,
  type ScanKernel,
} from "../scan/kernel.ts";
import { quantiseRow } from "../scan/quantise.ts";

/** Rows in one memory of the kernel. */
const segmentRows = 16_384;

/** Rows as codes, in the order of their places: 0, 1, 2, … */
export class PairScan {
  readonly rows: number;
  readonly #width: number;
  readonly #segments: CodeMemory[] = [];
  readonly #scales: Float64Array;
  /** Per row: a bound of ‖x − scale · codes‖. */
  readonly #errors: Float64Array;
  #largestNorm = 0;
  #count = 0;

  /** @param width of the rows to be added */
  constructor(kernel: ScanKernel, rows: number, width: number) {
    this.rows = rows;
    this.#width = paddedWidth(width);
    this.#scales = new Float64Array(rows);
    this.#errors = new Float64Array(rows);
    for (let start = 0; start < rows; start += segmentRows)
      this.#segments.push(kernel.allocate(Math.min(segmentRows, rows - start), this.#width));
  }

  /**
   * Adds the next row.
   *
   * @param row finite
   * @param slack how far it may be from the exact one
   */
  add(row: Float32Array, slack = 0): void {
    const place = this.#count++;
    const { codes } = this.#segments[Math.floor(place / segmentRows)]!;
    const at = (place % segmentRows) * this.#width;
    const quantised = quantiseRow(row, codes.subarray(at, at + row.length));
    if (quantised === null) throw new Error(`row ${place} is not finite`);
    this.#scales[place] = quantised.scale;
    // Not below the exact error, which bounds what a scan may miss.
    this.#errors[place] = (quantised.error + slack) * (1 + 2 ** -20);
    this.#largestNorm = Math.max(this.#largestNorm, quantised.norm);
  }

  /**
   * Finds the pairs (a, b) with a < b and a in `[first, end)` whose dot product may reach the threshold. By
   * Cauchy–Schwarz, |a · b − â · b̂| ≤ ‖a‖ ‖b − b̂‖ + ‖a − â‖ ‖b̂‖.
   *
   * @param onPairs called with some rows b of one a
   */
  async scan(
    first: number,
    end: number,
    threshold: number,
    onPairs: (a: number, candidates: Uint32Array) => void | Promise<void>,
  ): Promise<void> {
    const found = new Uint32Array(rowsPerBlock);
    const queries = new Int16Array(queriesAtOnce * this.#width);
    for (let start = first; start < end; start += queriesAtOnce) {
      const count = Math.min(queriesAtOnce, end - start);
      this.#readQueries(start, count, queries);
      for (let s = Math.floor(start / segmentRows); s < this.#segments.length; s++) {
        const memory = this.#segments[s]!;
        memory.setQueries(queries);
        // Each time: the kernel writes behind the rows of a last block.
        for (let i = 0; i < rowsPerBlock; i++) memory.list[i] = i;
        const rows = Math.min(segmentRows, this.rows - s * segmentRows);
        // Blocks of rows before the queries have been compared with them.
        const own = Math.max(0, start - s * segmentRows);
        for (let block = own - (own % rowsPerBlock); block < rows; block += rowsPerBlock) {
          const most = Math.min(rowsPerBlock, rows - block);
          for (let query = 0; query < count; query++) {
            const dots = memory.dots(query, block, most);
            const matches = this.#match(start + query, s * segmentRows + block, dots, most, threshold, found);
            if (matches > 0) await onPairs(start + query, found.subarray(0, matches));
          }
        }
      }
    }
  }

  #readQueries(start: number, count: number, queries: Int16Array): void {
    queries.fill(0);
    for (let query = 0; query < count; query++) {
      const place = start + query;
      const at = (place % segmentRows) * this.#width;
      const { codes } = this.#segments[Math.floor(place / segmentRows)]!;
      queries.set(codes.subarray(at, at + this.#width), query * this.#width);
    }
  }

  /** @returns how many rows were written to `found` */
  #match(
    a: number,
    start: number,
    dots: Int32Array,
    rows: number,
    threshold: number,
    found: Uint32Array,
  ): number {
    const [scales, errors] = [this.#scales, this.#errors];
    const [scale, norm] = [scales[a]!, this.#largestNorm];
    // The last term is for the rounding of these numbers themselves.
    const least = threshold - errors[a]! * 2 * norm - 1e-6 * norm * norm;
    let count = 0;
    for (let i = Math.max(0, a + 1 - start); i < rows; i++) {
      const b = start + i;
      if (dots[i]! * scales[b]! * scale + norm * errors[b]! >= least) found[count++] = b;
    }
    return count;
  }
}
