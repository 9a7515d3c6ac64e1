/** Results that differ from each other: without near-duplicates, or chosen by maximal marginal relevance. */

/** Dot products of rows of a matrix. @param vectors [rows, width] */
export function rowProduct(vectors: Float32Array, width: number, a: number, b: number): number {
  let sum = 0;
  for (let i = 0, at = a * width, other = b * width; i < width; i++)
    sum += vectors[at + i]! * vectors[other + i]!;
  return sum;
}

/**
 * The rows that are not near-duplicates of an earlier one that is kept.
 *
 * @param vectors [rows, width], best first
 * @param threshold the similarity from which on two rows are near-duplicates
 * @returns indices of rows, ascending
 */
export function withoutDuplicates(vectors: Float32Array, width: number, threshold: number): number[] {
  const kept: number[] = [];
  for (let row = 0; row < vectors.length / width; row++)
    if (!kept.some((other) => rowProduct(vectors, width, row, other) >= threshold)) kept.push(row);
  return kept;
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
    for (const row of left) nearest[row] = Math.max(nearest[row]!, rowProduct(vectors, width, row, best));
  }
  return chosen;
}
