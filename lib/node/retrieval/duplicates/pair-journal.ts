/**
 * The journal of a search for pairs: a file for each chunk of rows that is done, in the index folder. A killed search
 * continues with the next chunk.
 */
import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../../files/exists.ts";
import { readWhole } from "../../files/file-source.ts";
import { unwritable } from "../../files/output-path.ts";
import { writeWhole } from "../../files/write-file.ts";

/** In bytes, of a chunk: more pairs than its rows can join. */
const largestChunk = 2 ** 31;

export class PairJournal {
  readonly #parent: string;
  #folder = "";

  /** @param path of the index */
  constructor(path: string) {
    this.#parent = join(path, "pairs");
  }

  /**
   * Opens the journal of a search; those of other searches are deleted.
   *
   * @param settings all that the pairs depend on
   */
  async open(settings: readonly unknown[]): Promise<void> {
    const digest = createHash("sha256").update(JSON.stringify(settings)).digest("hex");
    this.#folder = join(this.#parent, digest.slice(0, 16));
    try {
      if (!(await exists(this.#folder))) await this.remove();
      await mkdir(this.#folder, { recursive: true });
    } catch (error) {
      throw unwritable(this.#folder, error);
    }
  }

  /** The pairs of a chunk: first rows and second rows in turn; null if it is not done. */
  async read(first: number): Promise<Float64Array | null> {
    const path = this.#pathOf(first);
    if (!(await exists(path))) return null;
    const bytes = await readWhole(path, largestChunk);
    return new Float64Array(bytes.slice().buffer);
  }

  async write(first: number, pairs: readonly number[]): Promise<void> {
    await writeWhole(this.#pathOf(first), [new Uint8Array(Float64Array.from(pairs).buffer)]);
  }

  /** Deletes the journal of a search whose result is written. */
  async remove(): Promise<void> {
    await rm(this.#parent, { recursive: true, force: true });
  }

  #pathOf(first: number): string {
    return join(this.#folder, `${first}.pairs`);
  }
}
