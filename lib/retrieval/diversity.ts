/** Results that differ from each other: without near-duplicates, or chosen by maximal marginal relevance. */
import { paddedWidth } from "./scan/kernel.ts";
import { quantiseQuery, quantiseRow } from "./scan/quantise.ts";
import { scanCodes, type CodeSegment } from "./scan/scan-codes.ts";
import { wasmKernel } from "./scan/wasm-kernel.ts";

/** The dot product of two rows of matrices. @param b of the same width as `a` */
export function rowProduct(
  a: Float32Array,
  row: number,
  b: Float32Array,
  other: number,
  width: number,
): number {
  let sum = 0;
  for (let i = 0, at = row * width, to = other * width; i < width; i++) sum += a[at + i]! * b[to + i]!;
  return sum;
}

/** Rows that room is made for at first. */
const leastRows = 64;

/**
 * Rows that are not near-duplicates of one that was added before. Keeps the vectors of these rows only.
 *
 * A scan of codes finds the rows whose products may reach the threshold; only theirs are computed. The result is that of
 * all products.
 */
export class DistinctRows {
  readonly #width: number;
  readonly #threshold: number;
  #vectors: Float32Array;
  #count = 0;
  /** Null if all rows are kept. */
  #codes: Omit<CodeSegment, "rows"> | null;

  /** @param threshold the dot product from which on two rows are near-duplicates; Infinity to keep all */
  constructor(width: number, threshold: number) {
    this.#width = width;
    this.#threshold = threshold;
    this.#vectors = new Float32Array(leastRows * width);
    this.#codes = threshold === Infinity ? null : codesFor(leastRows, width);
  }

  get count(): number {
    return this.#count;
  }

  /** [count, width], valid until the next row is added */
  get vectors(): Float32Array {
    return this.#vectors.subarray(0, this.#count * this.#width);
  }

  /**
   * Adds a row unless it is a near-duplicate.
   *
   * @param vectors [rows, width]
   * @returns whether it was added
   * @throws InputError for numbers that are not finite
   */
  add(vectors: Float32Array, row: number): boolean {
    const width = this.#width;
    if (this.#near(vectors, row).some((kept) => this.#isNear(vectors, row, kept))) return false;
    if ((this.#count + 1) * width > this.#vectors.length) this.#grow();
    const vector = vectors.subarray(row * width, (row + 1) * width);
    this.#vectors.set(vector, this.#count * width);
    if (this.#codes !== null) this.#keepCodes(vector, this.#codes);
    this.#count += 1;
    return true;
  }

  /** The kept rows whose product with this one may reach the threshold. */
  #near(vectors: Float32Array, row: number): number[] {
    if (this.#codes === null) return [];
    const width = this.#width;
    const query = quantiseQuery(vectors.subarray(row * width, (row + 1) * width), paddedWidth(width));
    const segment = { ...this.#codes, rows: this.#count };
    const [found] = scanCodes([segment], [query], { min: this.#threshold }, null);
    return found!.map(({ id }) => id);
  }

  #isNear(vectors: Float32Array, row: number, kept: number): boolean {
    return rowProduct(vectors, row, this.#vectors, kept, this.#width) >= this.#threshold;
  }

  #keepCodes(vector: Float32Array, codes: Omit<CodeSegment, "rows">): void {
    const padded = paddedWidth(this.#width);
    const into = codes.memory.codes.subarray(this.#count * padded, (this.#count + 1) * padded);
    // The query's numbers were finite.
    const { scale, error, norm } = quantiseRow(vector, into)!;
    codes.scales[this.#count] = scale;
    codes.errors[this.#count] = error;
    this.#codes = { ...codes, largestNorm: Math.max(codes.largestNorm, norm) };
  }

  #grow(): void {
    const larger = new Float32Array(2 * this.#vectors.length);
    larger.set(this.#vectors);
    this.#vectors = larger;
    if (this.#codes === null) return;
    const { largestNorm, memory, scales, errors } = this.#codes;
    const codes = codesFor(larger.length / this.#width, this.#width);
    codes.memory.codes.set(memory.codes);
    codes.scales.set(scales);
    codes.errors.set(errors);
    this.#codes = { ...codes, largestNorm };
  }
}

function codesFor(rows: number, width: number): Omit<CodeSegment, "rows"> {
  return {
    firstId: 0,
    memory: wasmKernel.allocate(rows, paddedWidth(width)),
    scales: new Float32Array(rows),
    errors: new Float32Array(rows),
    largestNorm: 0,
  };
}

/**
 * Maximal marginal relevance: each next row maximises (1 − diversity) · score − diversity · (its greatest similarity to
 * a chosen row). With 0 the order is that of the scores.
 *
 * Source: Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking, SIGIR 1998.
 * @param scores of the rows, best first
 * @param vectors [rows, width]
 * @param diversity 0 to 1
 * @returns the indices of `count` rows in the order in which they are chosen
 */
export function maximalMarginalRelevance(
  scores: readonly number[],
  vectors: Float32Array,
  width: number,
  count: number,
  diversity: number,
): number[] {
  const chosen: number[] = [];
  const left = new Set(scores.keys());
  const nearest = new Float64Array(scores.length).fill(-Infinity);
  while (chosen.length < count && left.size > 0) {
    let [best, most] = [-1, -Infinity];
    for (const row of left) {
      const penalty = chosen.length === 0 ? 0 : diversity * nearest[row]!;
      const relevance = (1 - diversity) * scores[row]! - penalty;
      if (relevance > most) [best, most] = [row, relevance];
    }
    left.delete(best);
    chosen.push(best);
    for (const row of left)
      nearest[row] = Math.max(nearest[row]!, rowProduct(vectors, row, vectors, best, width));
  }
  return chosen;
}
