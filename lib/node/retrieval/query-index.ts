/** Queries of an index: candidates from a scan of codes, scored again with the stored vectors. */
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { Column, MetadataRow } from "../../retrieval/columns.ts";
import { maximalMarginalRelevance, withoutDuplicates } from "../../retrieval/diversity.ts";
import type { Side } from "../../retrieval/layout.ts";
import { codesPath } from "../../retrieval/layout.ts";
import type { Mask, Wanted } from "../../retrieval/scan/scan-codes.ts";
import type { Found } from "../../retrieval/result-text.ts";
import { inOrder, type ScoredRow } from "../../retrieval/scan/top-rows.ts";
import { columnsOf, evaluateWhere } from "../../retrieval/where/evaluate-where.ts";
import { parseWhere } from "../../retrieval/where/parse-where.ts";
import { whereError } from "../../retrieval/where/tokens.ts";
import type { SearchedIndex } from "./searched-index.ts";
import { queryVector, type LoadModel, type QueryTerm } from "./query-vectors.ts";
import { ensureCodes } from "./scan/codes.ts";
import { openScanner, type Scanner } from "./scan/scanner.ts";
import type { PlacedCodes } from "./scan/segments.ts";

/** What is searched, and which rows are results. */
export interface QueryOptions {
  /** Embeds the texts and images of a query. */
  readonly model?: LoadModel;
  /** What is searched: the vectors of images (default) or of captions. */
  readonly side?: Side;
  /** Results, at most. Default: 10, or with `min` all. */
  readonly top?: number;
  /** Results are at least this similar. */
  readonly min?: number;
  /** A condition on the metadata in SQL's syntax, such as `width >= 512 AND caption LIKE '%cat%'`. */
  readonly where?: string;
  /** Leave out results at least this similar to a better one. */
  readonly dedup?: number;
  /** 0 to 1: how much results should differ from each other (maximal marginal relevance). */
  readonly diversity?: number;
}

const defaultTop = 10;

/**
 * Rows scored again with the stored vectors, per result: the codes' order is close to the exact one. The recall is
 * measured in spec/node/retrieval/query-index.spec.ts.
 */
const candidatesPerResult = 4;
const extraCandidates = 32;

/** Rows whose vectors are read at once. */
const rowsAtOnce = 4096;

/** Searches one index; keeps its codes in memory, and columns of filters. */
export class IndexQueries {
  readonly #index: SearchedIndex;
  readonly #threads: number | undefined;
  readonly #scanners = new Map<Side, Promise<Scanner>>();
  readonly #columns = new Map<string, Promise<Column>>();

  /** @param threads as of `openScanner` */
  constructor(index: SearchedIndex, threads?: number) {
    this.#index = index;
    this.#threads = threads;
  }

  /** Opens the codes of a side, and makes those that are missing. Queries do so themselves. */
  scanner(side: Side): Promise<Scanner> {
    let scanner = this.#scanners.get(side);
    if (scanner === undefined) {
      scanner = this.#openScanner(side);
      this.#scanners.set(side, scanner);
      // A next query tries again.
      scanner.catch(() => this.#scanners.delete(side));
    }
    return scanner;
  }

  async #openScanner(side: Side): Promise<Scanner> {
    const index = this.#index;
    if (!index.has(side) && index.rows > 0) throw new InputError(`${index.path}: has no vectors of ${side}s`);
    const places: PlacedCodes[] = [];
    for (const partition of index.partitions) {
      const vectors = partition[side];
      if (vectors === null) continue;
      const { number, firstId } = partition;
      const place = number === null ? null : join(index.path, codesPath(side, number));
      places.push({ file: await ensureCodes(vectors, place), firstId });
    }
    return openScanner(places, index.width, this.#threads === undefined ? {} : { threads: this.#threads });
  }

  /**
   * The best rows for a query, best first; with `min` and without `top`, all rows from that similarity on.
   *
   * @throws InputError for terms, columns and values that do not fit
   */
  async *query(
    terms: readonly QueryTerm[],
    options: QueryOptions = {},
  ): AsyncGenerator<Found, void, undefined> {
    const { side = "image" } = options;
    const vector = await queryVector(this.#index, terms, side, options.model ?? null);
    const rows = await this.rank(vector, options);
    for (let start = 0; start < rows.length; start += rowsAtOnce) {
      const some = rows.slice(start, start + rowsAtOnce);
      const metadata = await this.#index.readMetadata(some.map(({ id }) => id));
      for (const [i, { id, score }] of some.entries())
        yield { id, path: pathOf(metadata[i]!), similarity: score, metadata: metadata[i]! };
    }
  }

  /** Ids and similarities for a vector, in the order of the results. */
  async rank(vector: Float32Array, options: Omit<QueryOptions, "model"> = {}): Promise<ScoredRow[]> {
    const { side = "image", min, dedup, diversity, where } = options;
    const top = options.top ?? (min === undefined ? defaultTop : Infinity);
    const mask = await this.mask(where);
    const scanner = await this.scanner(side);
    // Results that are left out for others are replaced by more candidates.
    const chooses = dedup !== undefined || diversity !== undefined;
    for (let wanted = chooses ? 4 * top : top; ; wanted *= 4) {
      const rows = await this.#exact(scanner, vector, side, mask, min, wanted);
      const isAll = rows.length < wanted;
      if (!chooses) return rows;
      const chosen = await this.#choose(rows, top, side, dedup, diversity);
      if (chosen.length >= top || isAll) return chosen;
    }
  }

  async #exact(
    scanner: Scanner,
    vector: Float32Array,
    side: Side,
    mask: Mask,
    min: number | undefined,
    top: number,
  ): Promise<ScoredRow[]> {
    const isBounded = top < this.#index.rows;
    const wanted: Wanted = isBounded
      ? { k: Math.min(this.#index.rows, candidatesPerResult * top + extraCandidates) }
      : { min: min ?? -Infinity };
    const [candidates] = await scanner.search([vector], wanted, mask);
    const rows = await this.#score(candidates!, vector, side);
    const kept = min === undefined ? rows : rows.filter(({ score }) => score >= min);
    return kept.sort(inOrder).slice(0, top);
  }

  /** Candidates with the scores of their stored vectors. */
  async #score(candidates: readonly ScoredRow[], vector: Float32Array, side: Side): Promise<ScoredRow[]> {
    const { width } = this.#index;
    const scored: ScoredRow[] = [];
    for (let start = 0; start < candidates.length; start += rowsAtOnce) {
      const ids = candidates.slice(start, start + rowsAtOnce).map(({ id }) => id);
      const vectors = await this.#index.readRows(ids, side);
      for (const [i, id] of ids.entries()) {
        let score = 0;
        for (let j = 0; j < width; j++) score += vectors[i * width + j]! * vector[j]!;
        scored.push({ id, score });
      }
    }
    return scored;
  }

  async #choose(
    rows: readonly ScoredRow[],
    top: number,
    side: Side,
    dedup: number | undefined,
    diversity: number | undefined,
  ): Promise<ScoredRow[]> {
    const { width } = this.#index;
    const ids = rows.map(({ id }) => id);
    let vectors = await this.#index.readRows(ids, side);
    let kept = rows;
    if (dedup !== undefined) {
      const places = withoutDuplicates(vectors, width, dedup);
      kept = places.map((place) => rows[place]!);
      const ofKept = new Float32Array(kept.length * width);
      for (const [i, place] of places.entries())
        ofKept.set(vectors.subarray(place * width, (place + 1) * width), i * width);
      vectors = ofKept;
    }
    if (diversity === undefined) return kept.slice(0, top);
    const scores = kept.map(({ score }) => score);
    const count = Math.min(top, kept.length);
    return maximalMarginalRelevance(scores, vectors, width, count, diversity).map((place) => kept[place]!);
  }

  /** The rows that a query may find: neither deleted nor excluded by the condition. Null for all. */
  async mask(where: string | undefined): Promise<Mask> {
    const { deleted, rows } = this.#index;
    if (where === undefined && deleted.count === 0) return null;
    const bits =
      where === undefined ? new Uint8Array(Math.ceil(rows / 8)).fill(0xff) : await this.#admitted(where);
    for (const [i, byte] of deleted.bits.subarray(0, bits.length).entries()) bits[i]! &= ~byte;
    return bits;
  }

  async #admitted(expression: string): Promise<Uint8Array> {
    const where = parseWhere(expression);
    const columns = new Map<string, Column>();
    for (const { name, at } of columnsOf(where)) columns.set(name, await this.#column(name, expression, at));
    return evaluateWhere(where, expression, columns, this.#index.rows);
  }

  async #column(name: string, expression: string, at: number): Promise<Column> {
    const known = this.#index.columns;
    if (!known.some((column) => column.name === name)) {
      const names = known.map((column) => column.name).join(", ") || "none";
      throw whereError(expression, at, `expected a column of ${this.#index.path} (${names}), found ${name}`);
    }
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = this.#index.readColumn(name);
      this.#columns.set(name, column);
      column.catch(() => this.#columns.delete(name));
    }
    return column;
  }

  async close(): Promise<void> {
    for (const scanner of this.#scanners.values())
      await scanner.then(
        (open) => open.close(),
        () => undefined,
      );
    this.#scanners.clear();
  }
}

/** The column with the image's path; clip-retrieval's own name, and those of lists. */
function pathOf(metadata: MetadataRow): string | null {
  for (const name of ["image_path", "path", "url"]) {
    const value = metadata[name];
    if (typeof value === "string") return value;
  }
  return null;
}
