/** Queries of a table that LanceDB holds, with the terms and options of an index's own queries. */
import { InputError } from "../../errors/input-error.ts";
import type { Cell, ColumnInfo, MetadataRow } from "../../retrieval/columns.ts";
import type { Side } from "../../retrieval/layout.ts";
import type { Found } from "../../retrieval/result-text.ts";
import { inOrder, type ScoredRow } from "../../retrieval/scan/top-rows.ts";
import { Tombstones } from "../../retrieval/tombstones.ts";
import { parseWhere } from "../../retrieval/where/parse-where.ts";
import { whereToSql } from "../../retrieval/where/to-sql.ts";
import { exists } from "../files/exists.ts";
import { rankDistinct } from "./choose-rows.ts";
import { loadLance, type LanceTable, type LanceVectorQuery } from "./lance-package.ts";
import { fieldName, idField, readLanceSchema, vectorField, type LanceOrigin } from "./lance-schema.ts";
import { pathOf } from "./query-index.ts";
import { checkedOptions, type CheckedOptions, type QueryOptions } from "./query-options.ts";
import { assertModelOf, assertTerms, queryVector, type QueryTerm } from "./query-vectors.ts";
import type { IndexOrigin } from "./searched-index.ts";

/** An index that answers queries: a folder, or a table of an engine. */
export interface QueriedIndex {
  /** As given. */
  readonly path: string;
  /** The folder of its files; null if they are not in a file system. */
  readonly folder: string | null;
  readonly width: number;
  readonly columns: readonly ColumnInfo[];
  /** The folder that relative paths in the metadata start from; null if it is not known. */
  readonly base: string | null;
  query(terms: readonly QueryTerm[], options?: QueryOptions): AsyncIterable<Found>;
  close(): Promise<void>;
}

/** Cells of the table's inverted file that are searched, and vectors that are read again per result. */
const probes = 40;
const refineFactor = 20;

/** Rows that one request names by their ids. */
const rowsAtOnce = 1000;

/** What LanceDB's float32 distances may be off. */
const distanceSlack = 1e-5;

/** A table of LanceDB as a searched index: conditions become SQL, and LanceDB searches its vectors. */
export class LanceIndex implements QueriedIndex {
  readonly path: string;
  readonly folder: string | null;
  readonly width: number;
  readonly columns: readonly ColumnInfo[];
  readonly base: string | null;
  readonly origin: IndexOrigin;
  /** The table has no deleted rows. */
  readonly deleted = new Tombstones();
  readonly #table: LanceTable;

  constructor(uri: string, table: LanceTable, width: number, origin: LanceOrigin) {
    this.path = `lancedb:${uri}`;
    this.folder = isFolder(uri) ? uri : null;
    this.width = width;
    this.columns = origin.columns;
    this.base = origin.base;
    this.origin = origin;
    this.#table = table;
  }

  /**
   * As `OpenedIndex.query`. Rows are found approximately, and ranked by the stored vectors; with `min` and without `top`
   * all rows from that similarity on are found.
   *
   * @throws InputError as there
   */
  async *query(
    terms: readonly QueryTerm[],
    options: QueryOptions = {},
  ): AsyncGenerator<Found, void, undefined> {
    const checked = checkedOptions(options);
    assertTerms(terms);
    if (checked.side === "text")
      throw new InputError(`${this.path}: has vectors of images only; search captions in the index folder`);
    const sql = checked.where === undefined ? null : this.#sql(checked.where);
    const { model } = options;
    const load =
      model === undefined
        ? null
        : async () => {
            const clip = await model();
            await assertModelOf(this, clip);
            return clip;
          };
    const vector = await queryVector(this, terms, checked.side, load);
    const rows = await rankDistinct(this, checked, (count) => this.#best(vector, checked, sql, count));
    for (let start = 0; start < rows.length; start += rowsAtOnce) {
      const some = rows.slice(start, start + rowsAtOnce);
      const metadata = await this.#metadata(some.map(({ id }) => id));
      for (const [i, { id, score }] of some.entries())
        yield { id, path: pathOf(metadata[i]!), similarity: score, metadata: metadata[i]! };
    }
  }

  #sql(condition: string): string {
    const columns = new Map(this.columns.map(({ name, type }) => [name, { field: fieldName(name), type }]));
    return whereToSql(parseWhere(condition), condition, columns);
  }

  /** The best `count` rows from `min` on. */
  async #best(
    vector: Float32Array,
    { min }: CheckedOptions,
    sql: string | null,
    count: number,
  ): Promise<ScoredRow[]> {
    const search = async (prepare: (query: LanceVectorQuery) => void): Promise<ScoredRow[]> => {
      const query = this.#table.vectorSearch(vector).column(vectorField).distanceType("cosine");
      prepare(query);
      if (sql !== null) query.where(sql);
      const found = await query.select([idField, vectorField, "_distance"]).toArray();
      const scored = found.map((row) => ({
        id: Number(row[idField]),
        score: productOf(vectorOf(row[vectorField]), vector),
      }));
      return scored.filter(({ score }) => min === undefined || score >= min).sort(inOrder);
    };
    if (count !== Infinity) {
      const rows = await search((query) => query.nprobes(probes).refineFactor(refineFactor).limit(count));
      if (rows.length >= count || (min !== undefined && rows.length > 0)) return rows.slice(0, count);
      // Few rows match, and may all be in other cells.
      return search((query) => query.bypassVectorIndex().limit(count));
    }
    const rows = await this.#table.countRows();
    return search((query) => {
      query.bypassVectorIndex().limit(Math.max(1, rows));
      if (min !== undefined) query.distanceRange(undefined, 1 - min + distanceSlack);
    });
  }

  /** Vectors by id, in the order given. @throws InputError for an id that no row has */
  async readRows(ids: ArrayLike<number>, side: Side = "image"): Promise<Float32Array> {
    if (side === "text") throw new InputError(`${this.path}: has vectors of images only`);
    const into = new Float32Array(ids.length * this.width);
    const rows = await this.#rows(Array.from(ids), [vectorField]);
    for (const [i, row] of rows.entries()) into.set(vectorOf(row[vectorField]), i * this.width);
    return into;
  }

  async #metadata(ids: readonly number[]): Promise<MetadataRow[]> {
    const fields = this.columns.map(({ name }) => fieldName(name));
    const rows = await this.#rows(ids, fields);
    return rows.map((row) =>
      Object.fromEntries(this.columns.map(({ name }, i) => [name, cellOf(row[fields[i]!])])),
    );
  }

  async #rows(
    ids: readonly number[],
    fields: readonly string[],
  ): Promise<Readonly<Record<string, unknown>>[]> {
    const rows = new Map<number, Readonly<Record<string, unknown>>>();
    for (let start = 0; start < ids.length; start += rowsAtOnce) {
      const some = ids.slice(start, start + rowsAtOnce);
      const query = this.#table.query().where(`\`${idField}\` IN (${some.join(", ")})`);
      for (const row of await query
        .select([idField, ...fields])
        .limit(some.length)
        .toArray())
        rows.set(Number(row[idField]), row);
    }
    return ids.map((id) => {
      const row = rows.get(id);
      if (row === undefined) throw new InputError(`${this.path}: has no row ${id}`);
      return row;
    });
  }

  close(): Promise<void> {
    this.#table.close();
    return Promise.resolve();
  }
}

/** A vector as LanceDB gives it: Arrow's, or an array. */
function vectorOf(value: unknown): ArrayLike<number> {
  const { toArray } = value as { readonly toArray?: () => ArrayLike<number> };
  return toArray === undefined ? (value as ArrayLike<number>) : toArray.call(value);
}

function productOf(a: ArrayLike<number>, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function cellOf(value: unknown): Cell {
  if (typeof value === "bigint") return Number(value);
  return (value ?? null) as Cell;
}

/** Not "s3://…" and the like. */
function isFolder(uri: string): boolean {
  return !/^\w{2,}:/.test(uri);
}

/** @returns the URI of "lancedb:URI"; null for another path */
export function lanceUri(path: string): string | null {
  return /^lancedb:(.+)$/s.exec(path)?.[1] ?? null;
}

/**
 * Opens a table of LanceDB.
 *
 * @param uri a folder, or s3://…
 * @throws InputError if LanceDB is not installed, or has no such table
 */
export async function openLanceIndex(uri: string, name = "images"): Promise<LanceIndex> {
  const path = `lancedb:${uri}`;
  const lance = await loadLance();
  // LanceDB would make the folder.
  if (isFolder(uri) && !(await exists(uri)))
    throw new InputError(`${path}: no such folder; write it with "clipscope index export"`);
  let table: LanceTable;
  try {
    const database = await lance.connect(uri);
    const names = await database.tableNames();
    if (!names.includes(name))
      throw new InputError(
        `${path}: expected a table ${name}, found ${names.join(", ") || "none"}; write it with "clipscope index export", or choose one with --table`,
      );
    table = await database.openTable(name);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const reason = cause instanceof Error ? cause.message.split("\n")[0]! : String(cause);
    throw new InputError(`${path}: cannot be opened (${reason})`, [], { cause });
  }
  const { width, origin } = readLanceSchema(await table.schema(), path);
  return new LanceIndex(uri, table, width, origin);
}
