/** Writes an index again without its deleted rows, and joins small partitions. */
import { copyFile, link, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { TryAgainError } from "../../errors/try-again-error.ts";
import type { IndexFile, PartitionEntry } from "../../retrieval/index-file.ts";
import {
  codesFolder,
  markerPath,
  metadataPath,
  mostPartitions,
  sides,
  tombstonesName,
  vectorsPath,
  type Side,
} from "../../retrieval/layout.ts";
import type { WrittenFile } from "../../retrieval/marker.ts";
import { exists } from "../files/exists.ts";
import { unwritable } from "../files/output-path.ts";
import { nodeHost } from "../host.ts";
import { compactSet } from "./columns/compact-sets.ts";
import { removeUnlisted, whileComputing } from "./columns/write-column-set.ts";
import { whileChanging, writeIndexFile } from "./change-index.ts";
import { removeDeadTemporaries, temporaryPattern } from "./new-file.ts";
import { openIndex, type OpenedIndex } from "./open-index.ts";
import type { IndexPartition } from "./searched-index.ts";
import { readParquetFile, readParquetRows } from "./parquet-file.ts";
import { PartitionWriter, writeMarker } from "./partition-writer.ts";
import { readIndexFile, readMarker, settledPartitions } from "./read-index-file.ts";
import { rowsPerGroup } from "./table-writer.ts";
import { asTryAgain } from "./try-again.ts";
import { rowBlocks } from "./vector-file.ts";

export interface CompactReport {
  readonly generation: number;
  readonly rows: number;
  /** Rows that are gone for good. */
  readonly dropped: number;
  readonly partitionsBefore: number;
  readonly partitions: number;
}

/**
 * Compacts an index. New partitions get new numbers, `index.json` is replaced in one step, and then the old files are
 * deleted: whenever the process is killed, the index is the old or the new one. Partitions without deleted rows keep
 * their files under another name.
 *
 * @param partitionRows rows up to which neighbouring partitions are joined
 * @throws InputError if partitions are missing; TryAgainError if another process changed the index meanwhile
 */
export async function compactIndex(folder: string, partitionRows: number): Promise<CompactReport> {
  try {
    return await whileComputing({ path: folder, isOwn: true }, () => compact(folder, partitionRows));
  } catch (error) {
    throw asTryAgain(error);
  }
}

async function compact(folder: string, partitionRows: number): Promise<CompactReport> {
  const before = await readIndexFile(folder);
  const settled = await settledPartitions(folder, before);
  assertComplete(folder, before, settled);
  await removeStrays(folder, before);
  await removeUnlisted(folder);
  await removeDeadTemporaries(folder);
  const index = await openIndex(folder);
  try {
    const generation = before.generation + 1;
    const entries: PartitionEntry[] = [];
    let { next } = before;
    const columnSets = before.columnSets.map((set) => ({ ...set, partitions: [] as number[] }));
    for (const group of groupsOf(index, partitionRows)) {
      if (next >= mostPartitions) throw new InputError(`${folder}: has no numbers left for partitions`);
      const number = next++;
      const rows = await writeGroup(folder, index, group, number, before, generation);
      entries.push({ number, rows });
      for (const [i, set] of before.columnSets.entries())
        if (await compactSet(index, set, group, number, generation)) columnSets[i]!.partitions.push(number);
    }
    await whileChanging(folder, async () => {
      const now = await readIndexFile(folder);
      const current = await openIndex(folder);
      await current.close();
      const isSame =
        now.generation === before.generation &&
        now.next === before.next &&
        current.deleted.count === index.deleted.count;
      if (!isSame)
        throw new TryAgainError(`${folder}: was changed while it was compacted; run the command again`);
      const plans = now.plans.map((plan) => ({ ...plan, isCompacted: true }));
      await writeIndexFile(folder, { ...now, generation, columnSets, plans, partitions: entries, next });
    });
    await removeStrays(folder, await readIndexFile(folder));
    await rm(join(folder, tombstonesName), { force: true });
    const rows = entries.reduce((sum, entry) => sum + entry.rows, 0);
    return {
      generation,
      rows,
      dropped: index.rows - rows,
      partitionsBefore: settled.length,
      partitions: entries.length,
    };
  } finally {
    await index.close();
  }
}

function assertComplete(folder: string, { plans }: IndexFile, settled: readonly PartitionEntry[]): void {
  const last = plans.findLast(({ isCompacted }) => !isCompacted);
  if (last === undefined || (settled.at(-1)?.number ?? -1) >= last.first + last.count - 1) return;
  throw new InputError(
    `${folder}: expected all planned partitions, found some missing; finish them with "clipscope index build --out ${folder}"`,
  );
}

/** Neighbours with the same sides whose rows fit into one partition. Those that lose all rows are left out. */
function groupsOf(index: OpenedIndex, partitionRows: number): IndexPartition[][] {
  const groups: IndexPartition[][] = [];
  let rows = 0;
  for (const partition of index.partitions) {
    const live = liveRows(index, partition);
    if (live === 0) continue;
    const last = groups.at(-1);
    const fits =
      last !== undefined &&
      rows + live <= partitionRows &&
      sides.every((side) => (last[0]![side] === null) === (partition[side] === null));
    if (fits) last.push(partition);
    else groups.push([partition]);
    rows = fits ? rows + live : live;
  }
  return groups;
}

function liveRows({ deleted }: OpenedIndex, { firstId, rows }: IndexPartition): number {
  return rows - deleted.countIn(firstId, firstId + rows);
}

/** @returns its rows */
async function writeGroup(
  folder: string,
  index: OpenedIndex,
  group: readonly IndexPartition[],
  number: number,
  { width, columns }: IndexFile,
  generation: number,
): Promise<number> {
  const [first] = group;
  const started = performance.now();
  const plan = `compacted:${generation}`;
  if (group.length === 1 && liveRows(index, first!) === first!.rows)
    return linkPartition(folder, first!, number, plan);
  const writer = await PartitionWriter.create({
    folder,
    number,
    width,
    sides: sides.filter((side) => first![side] !== null),
    columns,
  });
  try {
    for (const partition of group) await copyRows(folder, index, partition, writer);
    const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
    const marker = await writer.commit({ plan, backend: "none", madeBy: nodeHost.madeBy, seconds });
    return marker.rows;
  } finally {
    await writer.discard();
  }
}

async function copyRows(
  folder: string,
  { deleted }: OpenedIndex,
  partition: IndexPartition,
  writer: PartitionWriter,
): Promise<void> {
  const { firstId, number } = partition;
  for (const side of sides) {
    const vectors = partition[side];
    if (vectors === null) continue;
    for await (const { start, values } of rowBlocks(vectors, rowsPerGroup)) {
      const { width } = vectors;
      const kept = new Float32Array(values.length);
      let count = 0;
      for (let row = 0; row < values.length / width; row++) {
        if (deleted.has(firstId + start + row)) continue;
        kept.set(values.subarray(row * width, (row + 1) * width), width * count++);
      }
      await writer.vectors(side).append(kept.subarray(0, count * width));
    }
  }
  const file = await readParquetFile(join(folder, metadataPath(number!)));
  for (let start = 0; start < file.rows; start += rowsPerGroup) {
    const rows = await readParquetRows(file, start, Math.min(start + rowsPerGroup, file.rows));
    for (const [i, row] of rows.entries()) if (!deleted.has(firstId + start + i)) await writer.append(row);
  }
}

/** Gives a partition's files a second name; copies them where the file system has none. */
async function linkPartition(
  folder: string,
  { number, rows }: IndexPartition,
  to: number,
  plan: string,
): Promise<number> {
  const marker = await readMarker(folder, number!, null);
  const renamed = (path: string): string | null => {
    for (const side of sides) if (path === vectorsPath(side, number!)) return vectorsPath(side, to);
    return path === metadataPath(number!) ? metadataPath(to) : null;
  };
  const files: WrittenFile[] = [];
  for (const file of marker?.files ?? []) {
    const path = renamed(file.path);
    if (path === null) continue;
    const [source, target] = [join(folder, file.path), join(folder, path)];
    try {
      await rm(target, { force: true });
      await link(source, target).catch(() => copyFile(source, target));
    } catch (error) {
      throw unwritable(target, error);
    }
    files.push({ ...file, path });
  }
  if (marker === null) throw new InputError(`${folder}: partition ${number} has no marker`);
  await writeMarker(folder, { ...marker, number: to, plan, files });
  return rows;
}

/**
 * Deletes the files of partitions that are neither in the index nor planned: what a killed compaction left, and what a
 * finished one replaced.
 */
async function removeStrays(folder: string, { partitions, plans, columnSets }: IndexFile): Promise<void> {
  const listed = new Set(partitions.map(({ number }) => number));
  const isPlanned = (number: number): boolean =>
    plans.some(({ first, count, isCompacted }) => !isCompacted && number >= first && number < first + count);
  const subfolders = [
    ...sides.map((side: Side) => dirname(vectorsPath(side, 0))),
    ...["", ...columnSets.map((set) => set.folder)].flatMap((of) => [
      join(of, dirname(metadataPath(0))),
      join(of, dirname(markerPath(0))),
    ]),
    codesFolder,
  ];
  for (const subfolder of subfolders) {
    const path = join(folder, subfolder);
    if (!(await exists(path))) continue;
    for (const name of await readdir(path)) {
      const number = Number(
        /(\d{6})\.(npy|parquet|json|i8)$/.exec(name.replace(temporaryPattern, ""))?.[1] ?? NaN,
      );
      if (Number.isNaN(number) || listed.has(number) || isPlanned(number)) continue;
      await rm(join(path, name), { force: true });
    }
  }
}
