/** Exact search in a features file, whose rows are read in blocks. */
import { InputError } from "../errors/input-error.ts";
import { Best } from "../tasks/best.ts";
import type { Match, Ranked } from "../tasks/search.ts";
import type { ByteSource } from "../tensor/store.ts";
import type { Metadata } from "./features.ts";
import type { Rows } from "./features.ts";
import { FeaturesFile, type RowBlock } from "./read-features.ts";

/** Options of a search. */
export interface SearchOptions {
  readonly onProgress?: (done: number) => void;
}

/** A features file that is open for searches. Its rows stay in the file. */
export class SearchableFeatures {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  readonly metadata: Metadata;
  /** The image of each row. */
  readonly paths: readonly string[];
  readonly #file: FeaturesFile;
  #kept: { readonly values: Float32Array; readonly norms: Float64Array } | null = null;

  private constructor(file: FeaturesFile, paths: readonly string[]) {
    this.#file = file;
    this.name = file.name;
    this.rows = file.rows;
    this.width = file.width;
    this.metadata = file.metadata;
    this.paths = paths;
  }

  /**
   * Opens a features file. Under Node, `openSearch` takes a path.
   *
   * @throws InputError if it is not a features file, or does not name the image of each row; the source is then closed
   */
  static async open(source: ByteSource): Promise<SearchableFeatures> {
    const file = await FeaturesFile.open(source);
    try {
      const paths = await file.paths();
      if (paths !== null) return new SearchableFeatures(file, paths);
      throw new InputError(
        `${file.name}: expected the paths of the images, found none; write the file with "clipscope embed --images"`,
      );
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Keeps all rows in memory, so that searches after the first one do not read the file.
   *
   * @param most in bytes; a larger file is read for each search
   * @returns whether the rows are kept
   * @throws InputError for a number that is not finite
   */
  async keep(most: number): Promise<boolean> {
    if (this.#kept !== null) return true;
    const { rows, width } = this;
    if (rows * width * Float32Array.BYTES_PER_ELEMENT > most) return false;
    const values = await this.#file.values();
    this.#kept = { values, norms: normsOf({ values, rows, width }) };
    return true;
  }

  /** One row. @throws InputError for a row that the file does not have */
  async row(index: number): Promise<Float32Array> {
    const { width, rows, name } = this;
    if (!(index >= 0 && index < rows))
      throw new InputError(`${name}: row ${index}: expected 0 to ${rows - 1}`);
    for await (const { start, values } of this.blocks(index)) {
      return values.slice((index - start) * width, (index - start + 1) * width);
    }
    throw new Error("no block");
  }

  /** The rows in blocks, from the block that holds a row on. Each block reuses the memory of the one before. */
  async *blocks(from = 0): AsyncGenerator<RowBlock, void, undefined> {
    const { rows, width } = this;
    if (this.#kept !== null) yield { values: this.#kept.values, rows, width, start: 0 };
    else yield* this.#file.blocks(from);
  }

  /**
   * Ranks all rows by their cosine similarity to a query, best first. Ties keep the order of the rows. Memory holds one
   * block of rows, whatever the number of rows, unless they are kept.
   *
   * @param query [width], of any length above 0
   * @param top how many to return
   * @param onProgress called after each block with the number of rows done
   * @throws InputError for a query of another width, and for numbers that are not finite
   */
  async search(query: Float32Array, top: number, options: SearchOptions = {}): Promise<Match[]> {
    const ranked = await this.rank(query, top, options);
    return ranked.map(({ index, similarity }) => ({ path: this.paths[index]!, similarity }));
  }

  /** As `search`, with the numbers of the rows. */
  async rank(query: Float32Array, top: number, { onProgress }: SearchOptions = {}): Promise<Ranked[]> {
    const { name, width } = this;
    if (query.length !== width) {
      throw new InputError(
        `${name}: expected features of ${query.length} numbers, as the model gives, found ${width}; embed the images with this model`,
      );
    }
    const queryNorm = Math.sqrt(query.reduce((sum, value) => sum + value * value, 0));
    if (!(queryNorm > 0 && queryNorm < Infinity)) {
      throw new InputError(`${name}: expected a query of finite numbers that are not all 0`);
    }
    const best = new Best<number>(top);
    const vector = Float64Array.from(query);
    for await (const { start, rows, values } of this.blocks()) {
      const block = { values, rows, width };
      const along = products(block, vector);
      const norms = this.#kept?.norms ?? normsOf(block);
      for (let row = 0; row < rows; row++) {
        // A row of zeros has no direction.
        best.add(start + row, norms[row] === 0 ? 0 : along[row]! / (norms[row]! * queryNorm));
      }
      onProgress?.(start + rows);
    }
    return best.items().map(({ item, similarity }) => ({ index: item, similarity }));
  }

  /** Closes the file. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

/** The product of each row with a vector. Four rows at a time keep the processor busy. */
function products({ values, rows, width }: Rows, vector: Float64Array): Float64Array {
  const found = new Float64Array(rows);
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    const first = row * width;
    const [second, third, fourth] = [first + width, first + 2 * width, first + 3 * width];
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < width; i++) {
      const factor = vector[i]!;
      a += factor * values[first + i]!;
      b += factor * values[second + i]!;
      c += factor * values[third + i]!;
      d += factor * values[fourth + i]!;
    }
    found[row] = a;
    found[row + 1] = b;
    found[row + 2] = c;
    found[row + 3] = d;
  }
  for (; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += vector[i]! * values[row * width + i]!;
    found[row] = sum;
  }
  return found;
}

/** The norm of each row. */
function normsOf({ values, rows, width }: Rows): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += values[i]! * values[i]!;
    return Math.sqrt(squares);
  });
}
