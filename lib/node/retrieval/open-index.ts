/** Opens an index folder, or a folder in clip-retrieval's layout, for reading. */
import { join, resolve } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { ColumnSet } from "../../retrieval/column-sets.ts";
import type { Column, ColumnInfo, MetadataRow } from "../../retrieval/columns.ts";
import { GlobalIds } from "../../retrieval/global-ids.ts";
import { metadataPath, vectorsPath, type Side } from "../../retrieval/layout.ts";
import type { Found } from "../../retrieval/result-text.ts";
import type { Mask } from "../../retrieval/scan/scan-codes.ts";
import { Tombstones } from "../../retrieval/tombstones.ts";
import { exists } from "../files/exists.ts";
import { FileSource } from "../files/file-source.ts";
import { scoreIndex, type ScoredBy, type ScoreOptions } from "./columns/score-index.ts";
import type { ColumnSetReport } from "./columns/write-column-set.ts";
import { dedupIndex, type DedupOptions, type DedupReport } from "./duplicates/dedup-index.ts";
import { clusterIndex, type ClusterOptions, type ClusterReport } from "./clusters/cluster-index.ts";
import { readClipRetrievalFolder } from "./clip-retrieval-folder.ts";
import { JoinedTable } from "./joined-table.ts";
import { MetadataTable, type MetadataPart } from "./metadata-table.ts";
import { readParquetFile } from "./parquet-file.ts";
import { IndexQueries } from "./query-index.ts";
import type { QueryOptions } from "./query-options.ts";
import type { QueryTerm } from "./query-vectors.ts";
import type { ScannerOptions } from "./scan/scanner.ts";
import type { ComputedIndex, IndexOrigin, IndexPartition } from "./searched-index.ts";
import { readIndexFileIfThere, readTombstones, settledPartitions } from "./read-index-file.ts";
import { readRowsInto, readVectorFile, type VectorFile } from "./vector-file.ts";

/** How its codes are scanned. */
export type OpenIndexOptions = ScannerOptions;

/** Files that stay open. Those of larger indexes are opened for each read. */
const mostOpen = 256;

/** An index that is open. It shows the state of the moment when it was opened. */
export class OpenedIndex implements ComputedIndex {
  /** The folder as given. */
  readonly path: string;
  /** Changes when rows get other ids. */
  readonly generation: number;
  readonly width: number;
  readonly partitions: readonly IndexPartition[];
  readonly ids: GlobalIds;
  readonly deleted: Tombstones;
  readonly origin: IndexOrigin;
  /** The folder that relative paths in the metadata start from; null if it is not known. */
  readonly base: string | null;
  /** Whether the folder has an `index.json`: others are read only. */
  readonly isOwn: boolean;
  readonly #metadata: JoinedTable;
  readonly #files = new Map<string, Promise<FileSource>>();
  /** Its queries, which share codes and columns in memory. */
  readonly queries: IndexQueries;

  constructor(
    state: Pick<
      OpenedIndex,
      "path" | "generation" | "width" | "partitions" | "deleted" | "origin" | "base" | "isOwn"
    >,
    metadata: JoinedTable,
    options: OpenIndexOptions,
  ) {
    this.path = state.path;
    this.generation = state.generation;
    this.width = state.width;
    this.partitions = state.partitions;
    this.deleted = state.deleted;
    this.origin = state.origin;
    this.base = state.base;
    this.isOwn = state.isOwn;
    this.ids = new GlobalIds(this.partitions.map(({ rows }) => rows));
    this.#metadata = metadata;
    this.queries = new IndexQueries(this, options);
  }

  /**
   * The best rows for a query, best first; with `min` and without `top`, all rows from that similarity on.
   *
   * @throws InputError for terms, columns and values that do not fit
   */
  query(terms: readonly QueryTerm[], options?: QueryOptions): AsyncGenerator<Found, void, undefined> {
    return this.queries.query(terms, options);
  }

  /**
   * Writes columns that are computed from the vectors: similarities to a query, probabilities of labels or of a probe's
   * classes. Indexes that are opened afterwards have them, for conditions and in results.
   *
   * @param name of the first column; a set of this name is replaced
   * @throws InputError for a name that is taken, and if the rows cannot be scored so
   */
  score(name: string, by: ScoredBy, options?: ScoreOptions): Promise<ColumnSetReport> {
    return scoreIndex(this, name, by, options);
  }

  /**
   * Finds near-duplicates among all rows; writes columns about them, and deletes all but the best, if the options say so.
   *
   * @throws InputError for options that do not fit
   */
  dedup(options?: DedupOptions): Promise<DedupReport> {
    return dedupIndex(this, options);
  }

  /**
   * Divides the rows into clusters by spherical k-means.
   *
   * @param clusters how many, at most the number of rows
   * @throws InputError for options that do not fit
   */
  cluster(clusters: number, options?: ClusterOptions): Promise<ClusterReport> {
    return clusterIndex(this, clusters, options);
  }

  /** The number of rows, deleted ones included: ids are 0 to this, exclusive. */
  get rows(): number {
    return this.ids.rows;
  }

  /** The rows that are neither deleted nor excluded by a condition; null for all. */
  mask(where: string | undefined): Promise<Mask> {
    return this.queries.mask(where);
  }

  /** The folder of its files. */
  get folder(): string {
    return this.path;
  }

  get columns(): readonly ColumnInfo[] {
    return this.#metadata.columns;
  }

  /** Whether rows have vectors of this side. */
  has(side: Side): boolean {
    return this.partitions.some((partition) => partition[side] !== null);
  }

  /**
   * Vectors by id, as float32.
   *
   * @returns [ids, width]; also of deleted rows
   * @throws InputError for an id that no row has, or a side that was not embedded
   */
  async readRows(ids: ArrayLike<number>, side: Side = "image"): Promise<Float32Array> {
    const into = new Float32Array(ids.length * this.width);
    const byPartition = new Map<number, { row: number; to: number }[]>();
    for (let to = 0; to < ids.length; to++) {
      const { partition, row } = this.ids.locate(ids[to]!);
      const rows = byPartition.get(partition) ?? [];
      rows.push({ row, to });
      byPartition.set(partition, rows);
    }
    for (const [partition, rows] of byPartition) {
      const vectors = this.partitions[partition]![side];
      if (vectors === null) throw new InputError(`${this.path}: has no vectors of ${side}s`);
      await this.#withFile(vectors.path, (file) => {
        readRowsInto(file, vectors, rows, into);
      });
    }
    return into;
  }

  /** Metadata by id, in the order given. @throws InputError for an id that no row has */
  async readMetadata(ids: ArrayLike<number>): Promise<MetadataRow[]> {
    const found: MetadataRow[] = [];
    for (let i = 0; i < ids.length; i++) {
      const { partition, row } = this.ids.locate(ids[i]!);
      found.push((await this.#metadata.rows(partition, [row]))[0]!);
    }
    return found;
  }

  /** A metadata column of all rows. @throws InputError for an unknown column; its details list the known ones */
  readColumn(name: string): Promise<Column> {
    return this.#metadata.column(name);
  }

  async #withFile(path: string, use: (file: FileSource) => void): Promise<void> {
    if (this.partitions.length > mostOpen) {
      const file = await FileSource.open(path);
      try {
        use(file);
      } finally {
        await file.close();
      }
      return;
    }
    let file = this.#files.get(path);
    if (file === undefined) {
      file = FileSource.open(path);
      this.#files.set(path, file);
    }
    use(await file);
  }

  async close(): Promise<void> {
    await this.queries.close();
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const file of files)
      await file.then(
        (open) => open.close(),
        () => undefined,
      );
  }
}

/**
 * Opens an index. Partitions that are not committed, and those after the first such partition, are not in it.
 *
 * @param path an index folder, or a folder with `img_emb` or `text_emb` in clip-retrieval's layout
 * @throws InputError if it is neither, or its files do not fit together
 */
export async function openIndex(path: string, options: OpenIndexOptions = {}): Promise<OpenedIndex> {
  const index = await readIndexFileIfThere(path);
  if (index === null) return openClipRetrievalFolder(path, options);
  const { generation, width, origin, textOrigin, isAdopted, columns, base } = index;
  const partitions: IndexPartition[] = [];
  let firstId = 0;
  for (const { number, rows } of await settledPartitions(path, index)) {
    if (rows === 0) continue;
    const side = async (of: Side): Promise<VectorFile | null> => {
      const file = join(path, vectorsPath(of, number));
      return (await exists(file)) ? checked(await readVectorFile(file), rows, width) : null;
    };
    partitions.push({ number, firstId, rows, image: await side("image"), text: await side("text") });
    firstId += rows;
  }
  const parts: MetadataPart[] = [];
  for (const { number, rows } of partitions) {
    const file = join(path, metadataPath(number!));
    parts.push({ path: (await exists(file)) ? file : null, rows });
  }
  return new OpenedIndex(
    {
      path,
      generation,
      width,
      partitions,
      deleted: await readTombstones(path, index),
      origin: { image: origin, text: textOrigin ?? {}, isDeclared: isAdopted },
      base,
      isOwn: true,
    },
    new JoinedTable([
      new MetadataTable(columns, parts),
      ...index.columnSets.map((set) => tableOfSet(path, set, partitions)),
    ]),
    options,
  );
}

/** The columns of a set. Rows of partitions without them are null. */
function tableOfSet(path: string, set: ColumnSet, partitions: readonly IndexPartition[]): MetadataTable {
  const made = new Set(set.partitions);
  const parts = partitions.map(({ number, rows }) => ({
    path: made.has(number!) ? join(path, set.folder, metadataPath(number!)) : null,
    rows,
  }));
  return new MetadataTable(set.columns, parts);
}

/** @throws InputError unless the file has as many rows, of this width */
function checked(vectors: VectorFile, rows: number, width: number): VectorFile {
  if (vectors.rows === rows && vectors.width === width) return vectors;
  throw new InputError(
    `${vectors.path}: expected ${rows} rows of ${width} numbers, found ${vectors.rows} of ${vectors.width}; ` +
      '"clipscope index verify" lists what is damaged',
  );
}

async function openClipRetrievalFolder(path: string, options: OpenIndexOptions): Promise<OpenedIndex> {
  const found = await readClipRetrievalFolder(path);
  if (found === null) {
    throw new InputError(
      `${path}: expected an index folder (index.json), or clip-retrieval's layout (img_emb/*.npy); make one with "clipscope index build"`,
    );
  }
  const partitions: IndexPartition[] = [];
  const parts: MetadataPart[] = [];
  let firstId = 0;
  let width: number | undefined;
  for (const { image, text, metadata } of found) {
    const files = { image: await vectorsAt(image), text: await vectorsAt(text) };
    const { rows, width: ofThis } = (files.image ?? files.text)!;
    width ??= ofThis;
    for (const file of [files.image, files.text]) if (file !== null) checked(file, rows, width);
    if (rows === 0) continue;
    partitions.push({ number: null, firstId, rows, ...files });
    parts.push({ path: metadata, rows });
    firstId += rows;
  }
  const first = parts[0]?.path ?? null;
  const columns = first === null ? [] : (await readParquetFile(first)).columns;
  return new OpenedIndex(
    {
      path,
      generation: 0,
      width: width!,
      partitions,
      deleted: new Tombstones(),
      origin: { image: {}, text: {}, isDeclared: true },
      base: resolve("."),
      isOwn: false,
    },
    new JoinedTable([new MetadataTable(columns, parts)]),
    options,
  );
}

async function vectorsAt(path: string | null): Promise<VectorFile | null> {
  return path === null ? null : readVectorFile(path);
}
