/** Results that differ from each other: without near-duplicates, or chosen by maximal marginal relevance. */

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

/** Rows that are not near-duplicates of one that was added before. Keeps the vectors of these rows only. */
export class DistinctRows {
  readonly #width: number;
  readonly #threshold: number;
  #vectors: Float32Array;
  #count = 0;

  /** @param threshold the dot product from which on two rows are near-duplicates; Infinity to keep all */
  constructor(width: number, threshold: number) {
    this.#width = width;
    this.#threshold = threshold;
    this.#vectors = new Float32Array(16 * width);
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
   */
  add(vectors: Float32Array, row: number): boolean {
    const width = this.#width;
    const compared = this.#threshold === Infinity ? 0 : this.#count;
    for (let kept = 0; kept < compared; kept++)
      if (rowProduct(vectors, row, this.#vectors, kept, width) >= this.#threshold) return false;
    if ((this.#count + 1) * width > this.#vectors.length) {
      const larger = new Float32Array(2 * this.#vectors.length);
      larger.set(this.#vectors);
      this.#vectors = larger;
    }
    this.#vectors.set(vectors.subarray(row * width, (row + 1) * width), this.#count * width);
    this.#count += 1;
    return true;
  }
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
