/** An index as a server's clients may see it. */
import { InputError } from "../../errors/input-error.ts";
import type { MetadataRow } from "../../retrieval/columns.ts";
import { columnsOf } from "../../retrieval/where/evaluate-where.ts";
import { parseWhere } from "../../retrieval/where/parse-where.ts";
import type {
  IndexService,
  ScoredRow,
  Search,
  ShownRow,
  Side,
  VectorTerm,
} from "../../serve/index-service.ts";
import { Lru } from "../../serve/lru.ts";
import { SharedWork } from "../../serve/shared-work.ts";
import type { OpenedIndex } from "../retrieval/open-index.ts";
import { queryVector } from "../retrieval/query-vectors.ts";
import { imageOfRow } from "../retrieval/row-image.ts";
import { fileOf } from "../../tasks/image-source.ts";
import type { DecodeThread } from "./decode-thread.ts";
import type { ImageRoots } from "./image-roots.ts";

/** The columns that clients see. Source: clip_back.py, `columns_to_return`. */
export const defaultColumns: readonly string[] = ["url", "image_path", "caption", "NSFW"];

/** Pixels of the longer side of a thumbnail. */
const thumbnailSide = 320;

/** Thumbnails that are kept: about 10 KB each. */
const keptThumbnails = 2000;

/** Characters of a client's condition, which is evaluated for every row. */
const longestCondition = 1000;

export interface ServedIndexOptions {
  readonly name: string;
  /** The columns that clients see, as far as the index has them. */
  readonly columns: readonly string[];
  readonly roots: ImageRoots;
  readonly thumbnails: DecodeThread;
}

export class ServedIndex implements IndexService {
  readonly name: string;
  readonly columns: IndexService["columns"];
  readonly #index: OpenedIndex;
  readonly #options: ServedIndexOptions;
  readonly #thumbnails = new Lru<Uint8Array>(keptThumbnails);
  readonly #shared = new SharedWork<Uint8Array | null>();

  constructor(index: OpenedIndex, options: ServedIndexOptions) {
    this.name = options.name;
    this.#index = index;
    this.#options = options;
    this.columns = index.columns.filter(({ name }) => options.columns.includes(name));
  }

  get rows(): number {
    return this.#index.rows - this.#index.deleted.count;
  }

  get width(): number {
    return this.#index.width;
  }

  has(side: Side): boolean {
    return this.#index.has(side);
  }

  async vectorOf(terms: readonly VectorTerm[], side: Side): Promise<Float32Array> {
    this.#assertIds(terms.flatMap((term) => ("id" in term ? [term.id] : [])));
    return withoutFiles(queryVector(this.#index, terms, side, null));
  }

  async search(
    vector: Float32Array,
    { where, conditions, ...options }: Search,
    signal: AbortSignal,
  ): Promise<readonly ScoredRow[]> {
    if (where !== undefined) this.#assertCondition(where);
    const all = [...(where === undefined ? [] : [where]), ...conditions];
    const { queries } = this.#index;
    if (all.length === 0) return withoutFiles(queries.rank(vector, options, signal));
    const joined = all.map((one) => `(${one})`).join(" AND ");
    try {
      return await withoutFiles(queries.rank(vector, { ...options, where: joined }, signal));
    } catch (error) {
      // An error in the client's condition points at a character of it, not of all conditions.
      if (error instanceof InputError && where !== undefined) await withoutFiles(queries.mask(where));
      throw error;
    }
  }

  async shownRows(ids: readonly number[]): Promise<readonly ShownRow[]> {
    this.#assertIds(ids);
    return (await withoutFiles(this.#index.readMetadata(ids))).map((row) => this.#shown(row));
  }

  vectors(ids: readonly number[], side: Side): Promise<Float32Array> {
    return withoutFiles(this.#index.readRows(ids, side));
  }

  async thumbnail(id: number, signal: AbortSignal): Promise<Uint8Array | null> {
    this.#assertIds([id]);
    const key = String(id);
    const kept = this.#thumbnails.get(key);
    if (kept !== undefined) return kept;
    return this.#shared.run(key, (of) => this.#makeThumbnail(id, of), signal);
  }

  async #makeThumbnail(id: number, signal: AbortSignal): Promise<Uint8Array | null> {
    const { base } = this.#index;
    const { roots, thumbnails } = this.#options;
    if (roots.count === 0 || base === null) return null;
    const [metadata] = await withoutFiles(this.#index.readMetadata([id]));
    const source = imageOfRow(metadata!, base);
    const file = source === null ? null : await roots.find(fileOf(source));
    if (file === null) return null;
    try {
      const found = typeof source === "string" ? file : { ...source!, file };
      const jpeg = await thumbnails.thumbnail(found, thumbnailSide, signal);
      this.#thumbnails.set(String(id), jpeg);
      return jpeg;
    } catch (error) {
      // Changed since it was indexed: the row has no image, as if it were gone.
      if (error instanceof InputError) return null;
      throw error;
    }
  }

  #shown(row: MetadataRow): ShownRow {
    const shown: Record<string, string | number | boolean> = {};
    for (const { name } of this.columns) {
      const value = row[name] ?? null;
      if (value !== null) shown[name] = value;
    }
    const path = shown["image_path"];
    if (typeof path !== "string") return shown;
    // The path of a member of a tar is not one of a file.
    const isMember = typeof row["offset"] === "number";
    const shownPath = isMember ? path : this.#options.roots.shown(path);
    if (shownPath === null) delete shown["image_path"];
    else shown["image_path"] = shownPath;
    return shown;
  }

  /** @throws InputError for ids that no row has, or a deleted one */
  #assertIds(ids: readonly number[]): void {
    const { rows, deleted } = this.#index;
    const wrong = ids.find((id) => id >= rows || deleted.has(id));
    if (wrong !== undefined) throw new InputError(`expected the id of a row of ${this.name}, found ${wrong}`);
  }

  /**
   * Conditions could ask for values that are not shown, a part at a time; so they may name the columns that are shown,
   * and not the paths, of which a part is.
   */
  #assertCondition(where: string): void {
    if (where.length > longestCondition) {
      throw new InputError(`where: expected at most ${longestCondition} characters, found ${where.length}`);
    }
    const allowed = this.columns.map(({ name }) => name).filter((name) => name !== "image_path");
    for (const { name } of columnsOf(parseWhere(where))) {
      if (allowed.includes(name)) continue;
      const names = allowed.join(", ") || "none";
      throw new InputError(
        `where: expected one of the columns that this server shows (${names}), found ${name}`,
      );
    }
  }
}

/**
 * Errors about a request begin with the part that they are about. Others are about files that are gone or damaged, of
 * which clients learn nothing.
 */
async function withoutFiles<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof InputError) || /^(query|where): /.test(error.message)) throw error;
    throw new Error(error.message, { cause: error });
  }
}
