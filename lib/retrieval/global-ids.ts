/**
 * The ids of rows: positions in the partitions, one after the other. Adding and removing rows keeps them; compacting
 * begins a new generation with other ids.
 */
import { InputError } from "../errors/input-error.ts";

/** The place of a row. */
export interface RowPlace {
  /** Its partition's position in the list of partitions. */
  readonly partition: number;
  readonly row: number;
}

/** First ids of consecutive partitions. */
export class GlobalIds {
  /** The number of rows: ids are 0 to this, exclusive. */
  readonly rows: number;
  readonly #first: Float64Array;

  /** @param rows of each partition, in their order */
  constructor(rows: readonly number[]) {
    this.#first = new Float64Array(rows.length + 1);
    for (const [i, count] of rows.entries()) this.#first[i + 1] = this.#first[i]! + count;
    this.rows = this.#first[rows.length]!;
  }

  /** The id of a partition's first row. */
  firstOf(partition: number): number {
    return this.#first[partition]!;
  }

  /** @throws InputError for an id that no row has */
  locate(id: number): RowPlace {
    if (!Number.isSafeInteger(id) || id < 0 || id >= this.rows) {
      throw new InputError(
        `expected the id of a row, a whole number from 0 to ${this.rows - 1}, found ${id}`,
      );
    }
    let [low, high] = [0, this.#first.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#first[middle]! <= id) low = middle;
      else high = middle;
    }
    return { partition: low, row: id - this.#first[low]! };
  }
}
