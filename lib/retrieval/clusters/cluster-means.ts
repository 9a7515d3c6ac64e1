/**
 * The update of spherical k-means: a centroid is the normalised sum of its rows. Sums of float16 numbers are exact in
 * float64, so that their order does not matter.
 *
 * Paper: Dhillon and Modha, Concept Decompositions for Large Sparse Text Data Using Clustering, 2001.
 */
import { TopRows } from "../scan/top-rows.ts";
import type { Nearest } from "./nearest-centroids.ts";

export class ClusterMeans {
  readonly counts: Float64Array;
  readonly #sums: Float64Array;
  readonly #width: number;
  /** The rows that are farthest from their centroids, for clusters without rows. */
  readonly #farthest: TopRows;
  #similarity = 0;
  #rows = 0;

  constructor(clusters: number, width: number) {
    this.counts = new Float64Array(clusters);
    this.#sums = new Float64Array(clusters * width);
    this.#width = width;
    this.#farthest = new TopRows(clusters);
  }

  /** The mean similarity of the rows to their centroids. */
  get objective(): number {
    return this.#rows === 0 ? 0 : this.#similarity / this.#rows;
  }

  add(id: number, row: Float32Array, { cluster, similarity }: Nearest): void {
    this.counts[cluster]! += 1;
    for (let i = 0, at = cluster * this.#width; i < row.length; i++) this.#sums[at + i]! += row[i]!;
    this.#similarity += similarity;
    this.#rows += 1;
    if (-similarity >= this.#farthest.floor) this.#farthest.add(id, -similarity);
  }

  /**
   * The next centroids. A cluster without rows, or whose rows cancel each other out, gets the row that is farthest from
   * its own centroid, the next such cluster the next row.
   *
   * @param readRow the vector of a row
   * @returns [clusters, width], of norm 1
   */
  async centroids(readRow: (id: number) => Promise<Float32Array>): Promise<Float32Array> {
    const width = this.#width;
    const next = new Float32Array(this.#sums.length);
    const farthest = this.#farthest.rows();
    for (let c = 0; c < this.counts.length; c++) {
      const at = c * width;
      let row: ArrayLike<number> = this.#sums.subarray(at, at + width);
      if (!(normOf(row) > 1e-9)) row = await readRow(farthest.shift()!.id);
      const norm = normOf(row);
      for (let i = 0; i < width; i++) next[at + i] = row[i]! / norm;
    }
    return next;
  }
}

function normOf(row: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < row.length; i++) squares += row[i]! * row[i]!;
  return Math.sqrt(squares);
}
