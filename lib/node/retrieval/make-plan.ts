/** Makes a plan: lists the inputs once and divides them into partitions. */
import { dirname, join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { ColumnInfo, MetadataRow } from "../../retrieval/columns.ts";
import { ColumnTypes } from "../../retrieval/column-types.ts";
import { inputsPath, mostPartitions } from "../../retrieval/layout.ts";
import type { PlannedFile, PlannedPartition } from "../../retrieval/plan-file.ts";
import { makeFolder } from "../files/make-folder.ts";
import { inputKey } from "./input-key.ts";
import type { KnownInputs } from "./known-inputs.ts";
import type { ListOptions } from "./list-rows.ts";
import { NewPartitionFile } from "./new-file.ts";
import {
  givenImages,
  plannedRows,
  recordedPath,
  type GivenImage,
  type ImageListing,
} from "./planned-images.ts";
import { countSamples, inspectShard, plannedShard } from "./planned-shards.ts";
import type { Source } from "./sources.ts";
import { TableWriter } from "./table-writer.ts";

export interface DivideOptions extends ListOptions {
  /** Rows of a partition, about: shards are not divided. */
  readonly partitionRows: number;
  /** Samples of each shard, if they need not be counted. */
  readonly samplesPerShard?: number;
  readonly onError: (error: InputError) => void;
  /** Called with the number of inputs found so far. */
  readonly onProgress?: (found: number) => void;
}

/**
 * The columns of sources: those of lists and documents beside images from all of them, those of shards from the first
 * samples of the first shard.
 */
export async function columnsOfSources(
  sources: readonly Source[],
  base: string,
  options: DivideOptions,
): Promise<ColumnInfo[]> {
  const types = new ColumnTypes();
  for (const source of sources) {
    if (source.kind === "shards") {
      const [first] = source.shards;
      if (first !== undefined) await inspectShard(first, base, types).catch(options.onError);
      continue;
    }
    // Lists are read whole: the type of a column may only show at its end.
    let left = source.kind === "list" ? Infinity : inspectedImages;
    for await (const { cells } of givenImages(source, options, () => undefined)) {
      types.add(cells);
      if (--left === 0) break;
    }
  }
  return types.columns();
}

/** Images of a folder whose documents are read for their columns. */
const inspectedImages = 1000;

/**
 * Divides sources into partitions of consecutive inputs, and writes the lists of single images.
 *
 * @param first the number of the first partition
 * @throws InputError if a shard or a list cannot be read, or there are too many partitions
 */
export async function divideSources(
  folder: string,
  sources: readonly Source[],
  first: number,
  base: string,
  columns: readonly ColumnInfo[],
  known: KnownInputs | null,
  options: DivideOptions,
): Promise<Divided> {
  const partitions: PlannedPartition[] = [];
  const news = new NewInputs(known);
  const nextNumber = (): number => {
    const number = first + partitions.length;
    if (number < mostPartitions) return number;
    throw new InputError(
      `expected fewer than ${mostPartitions} partitions, found more; make them larger with --partition-rows`,
    );
  };
  for (const group of groupsOf(sources)) {
    if (group.kind === "shards") {
      for await (const { images, shards } of shardGroups(group.shards, base, news, options))
        partitions.push({ number: nextNumber(), images, shards });
      continue;
    }
    const rows = plannedRows(allImages(group.listings, base, options), columns, base);
    for await (const { images, inputs } of writeInputs(folder, nextNumber, rows, news, columns, options))
      partitions.push({ number: nextNumber(), images, inputs });
  }
  return { partitions, replaces: news.replaces };
}

export interface Divided {
  readonly partitions: PlannedPartition[];
  /** Whether some inputs are new states of known ones. */
  readonly replaces: boolean;
}

/** Tells the inputs that an index does not have. */
class NewInputs {
  readonly #known: KnownInputs | null;
  replaces = false;

  constructor(known: KnownInputs | null) {
    this.#known = known;
  }

  has(path: string, size: number | null, mtime: number | null): boolean {
    if (this.#known === null) return true;
    if (this.#known.inputs.has(inputKey(path, size, mtime))) return false;
    if (this.#known.paths.has(path)) this.replaces = true;
    return true;
  }

  hasRow({ image_path: path, bytes, mtime }: MetadataRow): boolean {
    return this.has(String(path), bytes as number | null, mtime as number | null);
  }
}

type Group =
  | { readonly kind: "shards"; readonly shards: string[] }
  | { readonly kind: "images"; readonly listings: ImageListing[] };

/** Consecutive sources of a kind, which share partitions. */
function groupsOf(sources: readonly Source[]): Group[] {
  const groups: Group[] = [];
  for (const source of sources) {
    const last = groups.at(-1);
    if (source.kind === "shards") {
      if (last?.kind === "shards") last.shards.push(...source.shards);
      else groups.push({ kind: "shards", shards: [...source.shards] });
    } else if (last?.kind === "images") last.listings.push(source);
    else groups.push({ kind: "images", listings: [source] });
  }
  return groups;
}

async function* shardGroups(
  shards: readonly string[],
  base: string,
  news: NewInputs,
  { partitionRows, samplesPerShard, onProgress }: DivideOptions,
): AsyncGenerator<{ images: number | null; shards: PlannedFile[] }, void, undefined> {
  let group: PlannedFile[] = [];
  let images: number | null = 0;
  let rows = 0;
  for (const [i, given] of shards.entries()) {
    const shard = await plannedShard(recordedPath(given, base), base);
    onProgress?.(i + 1);
    if (!news.has(shard.path, shard.size, shard.mtime)) continue;
    const count = samplesPerShard ?? (await countSamples(shard.path, base));
    if (group.length > 0 && rows + (count ?? 0) > partitionRows) {
      yield { images, shards: group };
      [group, images, rows] = [[], 0, 0];
    }
    group.push(shard);
    rows += count ?? 0;
    images = images === null || count === null || samplesPerShard !== undefined ? null : images + count;
  }
  if (group.length > 0) yield { images, shards: group };
}

async function* allImages(
  listings: readonly ImageListing[],
  base: string,
  options: DivideOptions,
): AsyncGenerator<GivenImage, void, undefined> {
  for (const listing of listings) {
    for await (const image of givenImages(listing, options, options.onError))
      yield { ...image, path: recordedPath(image.path, base) };
  }
}

/** Writes the lists of partitions, each when it is full. */
async function* writeInputs(
  folder: string,
  nextNumber: () => number,
  rows: AsyncIterable<MetadataRow>,
  news: NewInputs,
  columns: readonly ColumnInfo[],
  { partitionRows, onProgress }: DivideOptions,
): AsyncGenerator<{ images: number; inputs: { file: string; sha256: string } }, void, undefined> {
  let open: { file: NewPartitionFile; table: TableWriter } | null = null;
  let found = 0;
  const close = async (): Promise<{ images: number; inputs: { file: string; sha256: string } }> => {
    const { file, table } = open!;
    await table.finish();
    const { path, sha256 } = await file.complete();
    await file.move();
    open = null;
    return { images: table.rows, inputs: { file: path, sha256 } };
  };
  try {
    for await (const row of rows) {
      found += 1;
      if (found % 1000 === 0) onProgress?.(found);
      if (!news.hasRow(row)) continue;
      open ??= await openInputs(folder, nextNumber(), columns);
      await open.table.append(row);
      if (open.table.rows === partitionRows) yield await close();
    }
    if (open !== null) yield await close();
  } finally {
    await (open as { file: NewPartitionFile } | null)?.file.discard();
  }
}

async function openInputs(
  folder: string,
  number: number,
  columns: readonly ColumnInfo[],
): Promise<{ file: NewPartitionFile; table: TableWriter }> {
  const path = inputsPath(number);
  await makeFolder(dirname(join(folder, path)));
  const file = await NewPartitionFile.create(folder, path);
  return { file, table: new TableWriter(file, columns) };
}
