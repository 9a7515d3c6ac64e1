/**
 * The nearest of many centroids for each row, exactly: int8 codes exclude nearly all of them, and dot products in float64
 * decide between the others. The result does not depend on the processor.
 */
import {
  paddedWidth,
  queriesAtOnce,
  rowsPerBlock,
  type CodeMemory,
  type ScanKernel,
} from "../scan/kernel.ts";
import { quantiseQuery, quantiseRow } from "../scan/quantise.ts";

/** The nearest centroid of a row. */
export interface Nearest {
  readonly cluster: number;
  /** The dot product with it. */
  readonly similarity: number;
}

export class NearestCentroids {
  readonly count: number;
  /** [count, width], rows of norm 1 */
  readonly centroids: Float32Array;
  readonly #width: number;
  readonly #padded: number;
  readonly #memory: CodeMemory;
  readonly #scales: Float64Array;
  /** ‖centroid − scale · codes‖ */
  readonly #errors: Float64Array;

  constructor(kernel: ScanKernel, centroids: Float32Array, width: number) {
    this.centroids = centroids;
    this.count = centroids.length / width;
    this.#width = width;
    this.#padded = paddedWidth(width);
    this.#memory = kernel.allocate(this.count, this.#padded);
    this.#scales = new Float64Array(this.count);
    this.#errors = new Float64Array(this.count);
    for (let c = 0; c < this.count; c++) {
      const codes = this.#memory.codes.subarray(c * this.#padded, c * this.#padded + width);
      const quantised = quantiseRow(centroids.subarray(c * width, (c + 1) * width), codes);
      if (quantised === null) throw new Error(`centroid ${c} is not finite`);
      this.#scales[c] = quantised.scale;
      this.#errors[c] = quantised.error;
    }
  }

  /**
   * @param values [rows, width], finite
   * @returns of each row; of equally near centroids the first
   */
  find(values: Float32Array): Nearest[] {
    const [width, padded] = [this.#width, this.#padded];
    const found: Nearest[] = [];
    const approximate = new Float64Array(queriesAtOnce * this.count);
    for (let start = 0; start < values.length; start += queriesAtOnce * width) {
      const count = Math.min(queriesAtOnce, (values.length - start) / width);
      const rows = Array.from({ length: count }, (_, i) =>
        values.subarray(start + i * width, start + (i + 1) * width),
      );
      const queries = rows.map((row) => quantiseQuery(row, padded));
      const joined = new Int16Array(count * padded);
      for (const [i, { codes }] of queries.entries()) joined.set(codes, i * padded);
      this.#memory.setQueries(joined);
      // Each time: the kernel writes behind the rows of a last block.
      for (let i = 0; i < rowsPerBlock; i++) this.#memory.list[i] = i;
      for (let block = 0; block < this.count; block += rowsPerBlock) {
        const most = Math.min(rowsPerBlock, this.count - block);
        for (const [i, { scale }] of queries.entries()) {
          const dots = this.#memory.dots(i, block, most);
          for (let c = 0; c < most; c++)
            approximate[i * this.count + block + c] = dots[c]! * this.#scales[block + c]! * scale;
        }
      }
      for (const [i, row] of rows.entries()) {
        const of = approximate.subarray(i * this.count, (i + 1) * this.count);
        found.push(this.#choose(row, of, queries[i]!.norm, queries[i]!.error));
      }
    }
    return found;
  }

  /** By Cauchy–Schwarz, |q · c − q̂ · ĉ| ≤ ‖q‖ ‖c − ĉ‖ + ‖q − q̂‖ ‖ĉ‖, and the norm of ĉ is below 2. */
  #choose(row: Float32Array, approximate: Float64Array, norm: number, error: number): Nearest {
    const [errors, count] = [this.#errors, this.count];
    // The last term is for the rounding of these numbers themselves.
    const slack = 2 * error + 1e-6 * norm;
    let least = -Infinity;
    for (let c = 0; c < count; c++) {
      const lower = approximate[c]! - norm * errors[c]! - slack;
      if (lower > least) least = lower;
    }
    let [cluster, similarity] = [-1, -Infinity];
    for (let c = 0; c < count; c++) {
      if (approximate[c]! + norm * errors[c]! + slack < least) continue;
      let dot = 0;
      for (let i = 0, at = c * this.#width; i < row.length; i++) dot += this.centroids[at + i]! * row[i]!;
      if (dot > similarity) [cluster, similarity] = [c, dot];
    }
    return { cluster, similarity };
  }
}
