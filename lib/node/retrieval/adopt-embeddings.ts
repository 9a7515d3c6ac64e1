/** Adopts embeddings that other programs made: a folder in clip-retrieval's layout becomes partitions of an index. */
import { copyFile, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { assertSameOrigin } from "../../features/origin.ts";
import type { ColumnInfo } from "../../retrieval/columns.ts";
import type { IndexFile, PartitionEntry } from "../../retrieval/index-file.ts";
import { metadataPath, mostPartitions, vectorsPath } from "../../retrieval/layout.ts";
import type { WrittenFile } from "../../retrieval/marker.ts";
import { makeFolder } from "../files/make-folder.ts";
import { unwritable } from "../files/output-path.ts";
import { nodeHost } from "../host.ts";
import { whileChanging, writeIndexFile } from "./change-index.ts";
import { readClipRetrievalFolder, type ClipRetrievalPartition } from "./clip-retrieval-folder.ts";
import { readParquetFile } from "./parquet-file.ts";
import { writeMarker } from "./partition-writer.ts";
import { assertIndexModel, imageOrigin } from "./plan-index.ts";
import { readIndexFileIfThere, settledPartitions } from "./read-index-file.ts";
import { readVectorFile } from "./vector-file.ts";

export interface AdoptReport {
  readonly partitions: number;
  readonly rows: number;
  /** Whether nothing records the model that made them: it is declared to be the one in use. */
  readonly isDeclared: boolean;
}

/**
 * Adds the partitions of another folder to an index, which is made if it is missing. Files are linked, not copied, unless
 * `copy` is set.
 *
 * A folder with an `index.json` of its own records the fingerprint of the tower that made it, which must be that of the
 * model in use. Others record nothing: then the width is checked, and the model is declared to be the one in use.
 *
 * @throws InputError if the widths or models differ, or the index has partitions that are not built
 */
export async function adoptEmbeddings(
  folder: string,
  from: string,
  model: Clip,
  { copy = false }: { readonly copy?: boolean } = {},
): Promise<AdoptReport> {
  const origin = await imageOrigin(model, false);
  const other = await readIndexFileIfThere(from);
  if (other !== null) assertSameOrigin(origin, other.origin, from, "the model in use");
  const found = await readClipRetrievalFolder(from);
  if (found === null) {
    throw new InputError(`${from}: expected img_emb/*.npy, as clip-retrieval writes them, found none`);
  }
  const width = model.config.embedDim;
  const sizes = await checkedRows(from, found, width);
  const columns = await columnsOf(found);
  await makeFolder(folder);
  return whileChanging(folder, async () => {
    const existing = await readIndexFileIfThere(folder);
    if (existing !== null) await assertIndexModel(folder, existing, model);
    const isDeclared = other === null || other.isAdopted;
    const index = existing ?? emptyIndex(width, origin, isDeclared);
    const settled = await settledPartitions(folder, index);
    assertBuilt(folder, index, settled);
    const added: PartitionEntry[] = [];
    let { next } = index;
    for (const [i, partition] of found.entries()) {
      if (next >= mostPartitions) throw new InputError(`${folder}: has no numbers left for partitions`);
      if (sizes[i] === 0) continue;
      await adoptPartition(folder, partition, next, sizes[i]!, from, copy);
      added.push({ number: next++, rows: sizes[i]! });
    }
    await writeIndexFile(folder, {
      ...index,
      columns: joined(index.columns, columns),
      isAdopted: index.isAdopted || isDeclared,
      plans: index.plans.map((plan) => ({ ...plan, isCompacted: true })),
      partitions: [...settled, ...added],
      next,
    });
    const rows = added.reduce((sum, entry) => sum + entry.rows, 0);
    return { partitions: added.length, rows, isDeclared };
  });
}

function emptyIndex(width: number, origin: IndexFile["origin"], isAdopted: boolean): IndexFile {
  return {
    generation: 0,
    width,
    origin,
    textOrigin: null,
    isAdopted,
    columns: [],
    columnSets: [],
    base: resolve("."),
    plans: [],
    partitions: [],
    next: 0,
  };
}

function assertBuilt(folder: string, { plans }: IndexFile, settled: readonly PartitionEntry[]): void {
  const last = plans.findLast(({ isCompacted }) => !isCompacted);
  if (last === undefined || (settled.at(-1)?.number ?? -1) >= last.first + last.count - 1) return;
  throw new InputError(
    `${folder}: has planned partitions that are not built; finish them with "clipscope index build --out ${folder}"`,
  );
}

/** @returns the rows of each partition */
async function checkedRows(
  from: string,
  partitions: readonly ClipRetrievalPartition[],
  width: number,
): Promise<number[]> {
  const rows: number[] = [];
  for (const { image, text } of partitions) {
    if (image === null) {
      throw new InputError(`${from}: expected vectors of images (img_emb), found those of texts alone`);
    }
    const vectors = await readVectorFile(image);
    const texts = text === null ? null : await readVectorFile(text);
    for (const file of texts === null ? [vectors] : [vectors, texts]) {
      if (file.width === width && file.rows === vectors.rows) continue;
      throw new InputError(
        `${file.path}: expected ${vectors.rows} rows of ${width} numbers, as the model in use makes, found ${file.rows} of ${file.width}; choose their model with --model`,
      );
    }
    rows.push(vectors.rows);
  }
  return rows;
}

async function columnsOf(partitions: readonly ClipRetrievalPartition[]): Promise<readonly ColumnInfo[]> {
  const first = partitions.find(({ metadata }) => metadata !== null)?.metadata;
  return first == null ? [] : (await readParquetFile(first)).columns;
}

function joined(known: readonly ColumnInfo[], found: readonly ColumnInfo[]): ColumnInfo[] {
  const names = new Set(known.map(({ name }) => name));
  return [...known, ...found.filter(({ name }) => !names.has(name))];
}

async function adoptPartition(
  folder: string,
  { image, text, metadata }: ClipRetrievalPartition,
  number: number,
  rows: number,
  from: string,
  copy: boolean,
): Promise<void> {
  const files: WrittenFile[] = [];
  for (const [source, path] of [
    [image, vectorsPath("image", number)],
    [text, vectorsPath("text", number)],
    [metadata, metadataPath(number)],
  ] as const) {
    if (source === null) continue;
    const place = join(folder, path);
    await makeFolder(dirname(place));
    try {
      await rm(place, { force: true });
      await (copy ? copyFile(source, place) : symlink(resolve(source), place));
    } catch (error) {
      throw unwritable(place, error);
    }
    // Not hashed: LAION's embeddings are terabytes.
    files.push({ path, size: (await stat(place)).size, sha256: "" });
  }
  await writeMarker(folder, {
    number,
    plan: `adopted:${resolve(from)}`,
    rows,
    failed: 0,
    files,
    backend: "unknown",
    madeBy: nodeHost.madeBy,
    seconds: 0,
    finished: new Date().toISOString(),
  });
}
