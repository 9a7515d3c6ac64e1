/** Reads `index.json`, the markers that came after it, and the tombstones. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { decodeIndexFile, type IndexFile, type PartitionEntry } from "../../retrieval/index-file.ts";
import { indexName, markerPath, tombstonesName } from "../../retrieval/layout.ts";
import { decodeMarker, type Marker } from "../../retrieval/marker.ts";
import { Tombstones } from "../../retrieval/tombstones.ts";
import { exists } from "../files/exists.ts";
import { readWhole, unreadable } from "../files/file-source.ts";

/** In bytes: a million partitions take 20 MB. */
const largestJson = 2 ** 28;

/** A bitmap of 17 billion rows. */
const largestBitmap = 2 ** 31;

/** @returns null if the folder has no `index.json` @throws InputError if the folder is missing or the file damaged */
export async function readIndexFileIfThere(folder: string): Promise<IndexFile | null> {
  const found = await stat(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  if (!found.isDirectory()) throw new InputError(`${folder}: expected an index folder, found a file`);
  const path = join(folder, indexName);
  return (await exists(path)) ? decodeIndexFile(await readWhole(path, largestJson), path) : null;
}

/** @throws InputError if the folder is not an index */
export async function readIndexFile(folder: string): Promise<IndexFile> {
  const index = await readIndexFileIfThere(folder);
  if (index !== null) return index;
  throw new InputError(
    `${folder}: expected an index folder, found no ${indexName}; make one with "clipscope index build"`,
  );
}

/** A partition's marker; null if it is not committed, or belongs to other work. */
export async function readMarker(
  folder: string,
  number: number,
  plan: string | null,
): Promise<Marker | null> {
  const path = join(folder, markerPath(number));
  if (!(await exists(path))) return null;
  const marker = decodeMarker(await readWhole(path, largestJson), path);
  if (marker.number !== number)
    throw new InputError(
      `${path}: expected the marker of partition ${number}, found that of ${marker.number}`,
    );
  return plan === null || marker.plan === plan ? marker : null;
}

/**
 * The partitions whose ids are settled: those of `index.json`, and the committed ones that follow without a gap. A task
 * on another machine may have committed them without updating the file.
 */
export async function settledPartitions(folder: string, index: IndexFile): Promise<PartitionEntry[]> {
  const settled = [...index.partitions];
  const last = settled.at(-1)?.number ?? -1;
  for (const { first, count, digest, isCompacted } of index.plans) {
    if (isCompacted) continue;
    for (let number = Math.max(first, last + 1); number < first + count; number++) {
      const marker = await readMarker(folder, number, digest);
      if (marker === null) return settled;
      settled.push({ number, rows: marker.rows });
    }
  }
  return settled;
}

/** The deleted rows of this generation. */
export async function readTombstones(folder: string, { generation }: IndexFile): Promise<Tombstones> {
  const path = join(folder, tombstonesName);
  if (!(await exists(path))) return new Tombstones();
  return Tombstones.decode(await readWhole(path, largestBitmap), generation, path);
}
