/** Exact search in a features file, whose rows are read in blocks. */
import { InputError } from "../errors/input-error.ts";
import type { Clip } from "../clip/clip.ts";
import { embeddingTap } from "../tasks/embed-images.ts";
import { Best, type Match } from "../tasks/search.ts";
import type { ByteSource } from "../tensor/store.ts";
import type { Metadata } from "./features.ts";
import type { Host } from "./host.ts";
import { FeaturesFile } from "./read-features.ts";
import { assertSameOrigin, describeImageFeatures, embeddingOptions } from "./origin.ts";

/** A features file that is open for searches. Its rows stay in the file. */
export class SearchableFeatures {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  readonly metadata: Metadata;
  /** The image of each row. */
  readonly paths: readonly string[];
  readonly #file: FeaturesFile;

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
   * Checks that the rows are embeddings of images by a model, as its queries are.
   *
   * @throws InputError for features of another tap, model or preprocessing, as far as the file tells
   */
  async assertMadeBy(host: Host, model: Clip): Promise<void> {
    const { tap = embeddingTap } = this.metadata;
    if (tap !== embeddingTap) {
      throw new InputError(
        `${this.name}: expected features of the tap "${embeddingTap}", found "${tap}", which cannot be searched; embed the images without --tap`,
      );
    }
    const [current] = await describeImageFeatures(host, model, [tap], embeddingOptions(this.metadata));
    assertSameOrigin(current!, this.metadata, this.name, "the model in use");
  }

  /**
   * Ranks all rows by their cosine similarity to a query, best first. Ties keep the order of the rows. Memory holds one
   * block of rows, whatever the number of rows.
   *
   * @param query [width], of any length above 0
   * @param top how many to return
   * @param onProgress called after each block with the number of rows done
   * @throws InputError for a query of another width, and for numbers that are not finite
   */
  async search(
    query: Float32Array,
    top: number,
    { onProgress }: { readonly onProgress?: (done: number) => void } = {},
  ): Promise<Match[]> {
    const { name, width, paths } = this;
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
    for await (const { start, rows, values } of this.#file.blocks()) {
      for (let row = 0; row < rows; row++) {
        best.add(start + row, cosine(query, queryNorm, values, row * width));
      }
      onProgress?.(start + rows);
    }
    return best.items().map(({ item, similarity }) => ({ path: paths[item]!, similarity }));
  }

  /** Closes the file. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

/** The cosine of a query and a row; 0 for a row of zeros, which has no direction. */
function cosine(query: Float32Array, queryNorm: number, values: Float32Array, start: number): number {
  let product = 0;
  let square = 0;
  for (let i = 0; i < query.length; i++) {
    const value = values[start + i]!;
    product += value * query[i]!;
    square += value * value;
  }
  return square === 0 ? 0 : product / (Math.sqrt(square) * queryNorm);
}
