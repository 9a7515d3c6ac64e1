/** Queries of an index: candidates from a scan of codes, scored again with the stored vectors. */
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { Clip } from "../../clip/clip.ts";
import type { MetadataRow } from "../../retrieval/columns.ts";
import { codesPath, type Side } from "../../retrieval/layout.ts";
import type { Found } from "../../retrieval/result-text.ts";
import type { Mask, Wanted } from "../../retrieval/scan/scan-codes.ts";
import { inOrder, type ScoredRow } from "../../retrieval/scan/top-rows.ts";
import { rankDistinct } from "./choose-rows.ts";
import { checkedOptions, type CheckedOptions, type QueryOptions } from "./query-options.ts";
import { assertModelOf, assertTerms, queryVector, type LoadModel, type QueryTerm } from "./query-vectors.ts";
import { RowFilter } from "./row-filter.ts";
import { ensureCodes } from "./scan/codes.ts";
import { JointScanner } from "./scan/joint-scanner.ts";
import { openScanner, type Scanner, type ScannerOptions } from "./scan/scanner.ts";
import type { PlacedCodes } from "./scan/segments.ts";
import type { SearchedIndex } from "./searched-index.ts";

/**
 * Rows scored again with the stored vectors, per result: the codes' order is close to the exact one. The recall is
 * measured in spec/node/retrieval/query-index.spec.ts.
 */
const candidatesPerResult = 4;
const extraCandidates = 32;

/** Rows whose vectors or metadata are read at once. */
const rowsAtOnce = 4096;

/** Searches one index; keeps its codes in memory, and columns of filters. */
export class IndexQueries {
  readonly #index: SearchedIndex;
  readonly #options: ScannerOptions;
  readonly #scanners = new Map<Side, Promise<Scanner>>();
  readonly #filter: RowFilter;
  readonly #models = new WeakSet<Clip>();
  #isClosed = false;

  constructor(index: SearchedIndex, options: ScannerOptions = {}) {
    this.#index = index;
    this.#options = options;
    this.#filter = new RowFilter(index);
  }

  /** Opens the codes of a side, and makes those that are missing. Queries do so themselves. */
  scanner(side: Side): Promise<Scanner> {
    if (this.#isClosed) return Promise.reject(new Error(`${this.#index.path}: the index is closed`));
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
    return new JointScanner(await openScanner(places, index.width, this.#options));
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
    const checked = checkedOptions(options);
    // Mistakes are reported before a model is loaded.
    assertTerms(terms);
    const mask = await this.mask(checked.where);
    const vector = await queryVector(this.#index, terms, checked.side, this.#checking(options.model));
    const rows = await this.#rank(vector, checked, mask);
    for (let start = 0; start < rows.length; start += rowsAtOnce) {
      const some = rows.slice(start, start + rowsAtOnce);
      const metadata = await this.#index.readMetadata(some.map(({ id }) => id));
      for (const [i, { id, score }] of some.entries())
        yield { id, path: pathOf(metadata[i]!), similarity: score, metadata: metadata[i]! };
    }
  }

  /**
   * Ids and similarities for a vector, in the order of the results.
   *
   * @param vector [width], of norm 1
   * @throws InputError as `query`; the signal's reason if it is aborted
   */
  async rank(
    vector: Float32Array,
    options: Omit<QueryOptions, "model"> = {},
    signal?: AbortSignal,
  ): Promise<ScoredRow[]> {
    const checked = checkedOptions(options);
    const { width, path } = this.#index;
    if (vector.length !== width)
      throw new InputError(
        `query: expected a vector of ${width} numbers as in ${path}, found ${vector.length}`,
      );
    return this.#rank(vector, checked, await this.mask(checked.where), signal);
  }

  /** The rows that a query may find: neither deleted nor excluded by the condition. Null for all. */
  mask(where: string | undefined): Promise<Mask> {
    return this.#filter.mask(where);
  }

  /** The model, which is compared with the index when it is used first: its fingerprint takes time. */
  #checking(load: LoadModel | undefined): LoadModel | null {
    if (load === undefined) return null;
    return async () => {
      const model = await load();
      if (this.#models.has(model)) return model;
      await assertModelOf(this.#index, model);
      this.#models.add(model);
      return model;
    };
  }

  async #rank(
    vector: Float32Array,
    options: CheckedOptions,
    mask: Mask,
    signal?: AbortSignal,
  ): Promise<ScoredRow[]> {
    const scanner = await this.scanner(options.side);
    const best = (count: number): Promise<ScoredRow[]> => this.#best(scanner, vector, options, mask, count);
    return rankDistinct(this.#index, options, best, signal);
  }

  /** The best `count` rows from `min` on, by their stored vectors. */
  async #best(
    scanner: Scanner,
    vector: Float32Array,
    { side, min }: CheckedOptions,
    mask: Mask,
    count: number,
  ): Promise<ScoredRow[]> {
    const search = async (wanted: Wanted): Promise<ScoredRow[]> => {
      const [candidates] = await scanner.search([vector], wanted, mask);
      const scored = await this.#score(candidates!, vector, side);
      return scored.filter(({ score }) => min === undefined || score >= min).sort(inOrder);
    };
    const k = candidatesPerResult * count + extraCandidates;
    if (k < this.#index.rows) {
      const rows = await search({ k });
      // With fewer, a row that reaches `min` may be missing among the candidates.
      if (min === undefined || rows.length >= count) return rows.slice(0, count);
    }
    return (await search({ min: min ?? -Infinity })).slice(0, count);
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

  /** Ends the threads. Later queries fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const scanner of this.#scanners.values())
      await scanner.then(
        (open) => open.close(),
        () => undefined,
      );
    this.#scanners.clear();
  }
}

/** The column with the image's path; clip-retrieval's own name, and those of lists. */
export function pathOf(metadata: MetadataRow): string | null {
  for (const name of ["image_path", "path", "url"]) {
    const value = metadata[name];
    if (typeof value === "string") return value;
  }
  return null;
}
