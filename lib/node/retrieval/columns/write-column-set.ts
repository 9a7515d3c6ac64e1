/**
 * Writes a set of columns, partition by partition. The set becomes part of the index in one step at the end; whenever the
 * process is killed, the index has the old set or the new one, and the same command continues with the partitions that
 * are missing.
 */
import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError } from "../../../errors/input-error.ts";
import { TryAgainError } from "../../../errors/try-again-error.ts";
import { assertFreeNames, assertSetName, setFolder, type ColumnSet } from "../../../retrieval/column-sets.ts";
import type { MetadataRow } from "../../../retrieval/columns.ts";
import type { IndexFile } from "../../../retrieval/index-file.ts";
import { columnsFolder } from "../../../retrieval/layout.ts";
import { lockOrRefuse } from "../../files/reserve-output.ts";
import { nodeHost } from "../../host.ts";
import { whileChanging, writeIndexFile } from "../change-index.ts";
import { removeDeadTemporaries } from "../new-file.ts";
import { PartitionWriter } from "../partition-writer.ts";
import { readIndexFile, readMarker } from "../read-index-file.ts";
import type { ComputedIndex, IndexPartition } from "../searched-index.ts";
import { asTryAgain } from "../try-again.ts";

/** A set of columns to write. */
export interface NewColumnSet extends Pick<ColumnSet, "name" | "columns" | "description"> {
  /** All that its values depend on besides the vectors: texts of any form, in a fixed order. */
  readonly settings: readonly string[];
  readonly backend: string;
}

/** What was written. */
export interface ColumnSetReport {
  readonly name: string;
  readonly columns: readonly string[];
  /** Partitions that were computed now, and before. */
  readonly computed: number;
  readonly kept: number;
  /** Rows that have the columns. */
  readonly rows: number;
}

/** The values of a partition's rows, in their order, in blocks of any size. */
export type RowsOfPartition = (
  partition: IndexPartition,
) => AsyncIterable<readonly MetadataRow[]> | Iterable<readonly MetadataRow[]>;

/** @returns the digest that names what is computed */
export function recipeOf({ name, columns, settings }: NewColumnSet): string {
  return createHash("sha256")
    .update(JSON.stringify([name, columns, settings]))
    .digest("hex");
}

/**
 * Runs `use` while no other process computes columns of the index, or compacts it.
 *
 * @throws InputError if another process does, and for a folder that has no `index.json`
 */
export async function whileComputing<T>(
  { path, isOwn }: Pick<ComputedIndex, "path" | "isOwn">,
  use: () => Promise<T>,
): Promise<T> {
  if (!isOwn) {
    throw new InputError(
      `${path}: is a folder of clip-retrieval, to which nothing is written; adopt it with "clipscope index add DIR --embeddings ${path}"`,
    );
  }
  const release = await lockOrRefuse(join(path, columnsFolder), path);
  try {
    return await use();
  } catch (error) {
    throw asTryAgain(error);
  } finally {
    await release();
  }
}

/** The index as it is now. @throws InputError if it cannot have such a set; TryAgainError if it was compacted */
export async function indexForSet(index: ComputedIndex, set: NewColumnSet): Promise<IndexFile> {
  const file = await readIndexFile(index.path);
  assertSetName(set.name);
  assertFreeNames(set, file.columns, file.columnSets);
  assertGeneration(index, file);
  return file;
}

/** @throws TryAgainError if the index was compacted since it was opened */
export function assertGeneration(
  { path, generation }: ComputedIndex,
  file: Pick<IndexFile, "generation">,
): void {
  if (file.generation !== generation)
    throw new TryAgainError(`${path}: was compacted meanwhile; run the command again`);
}

/**
 * Computes the columns of the partitions that do not have them yet. The caller holds the lock of {@link whileComputing}.
 *
 * @param rowsOf called for each partition that is computed
 * @throws InputError as `indexForSet`, and if a file cannot be written
 */
export async function writeColumnSet(
  index: ComputedIndex,
  set: NewColumnSet,
  rowsOf: RowsOfPartition,
  onProgress: (done: number, total: number) => void,
): Promise<ColumnSetReport> {
  const { path, generation, width, partitions } = index;
  await indexForSet(index, set);
  const recipe = recipeOf(set);
  const folder = setFolder(set.name, recipe);
  const place = join(path, folder);
  // Another generation gives its partitions other numbers.
  const plan = `${recipe}:${generation}`;
  await removeDeadTemporaries(place);
  let [computed, done] = [0, 0];
  for (const partition of partitions) {
    const { number, rows } = partition;
    if ((await readMarker(place, number!, plan)) === null) {
      const writer = await PartitionWriter.create({
        ...{ folder: place, number: number!, width, sides: [], columns: set.columns },
      });
      const started = performance.now();
      try {
        for await (const block of rowsOf(partition)) {
          for (const row of block) await writer.append(row);
          onProgress(done + writer.metadata.rows, index.rows);
        }
        const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
        await writer.commit({ plan, backend: set.backend, madeBy: nodeHost.madeBy, seconds });
      } finally {
        await writer.discard();
      }
      computed += 1;
    }
    done += rows;
    onProgress(done, index.rows);
  }
  const { name, columns, description } = set;
  const numbers = partitions.map(({ number }) => number!);
  await publish(index, { name, folder, columns, description, recipe, partitions: numbers });
  await removeUnlisted(path, name);
  return {
    name,
    columns: columns.map((column) => column.name),
    computed,
    kept: partitions.length - computed,
    rows: index.rows,
  };
}

async function publish(index: ComputedIndex, set: ColumnSet): Promise<void> {
  await whileChanging(index.path, async () => {
    const file = await readIndexFile(index.path);
    assertGeneration(index, file);
    assertFreeNames(set, file.columns, file.columnSets);
    const others = file.columnSets.filter(({ name }) => name !== set.name);
    await writeIndexFile(index.path, { ...file, columnSets: [...others, set] });
  });
}

/** Deletes a set. @returns false if the index has none of this name */
export async function dropColumnSet(path: string, name: string): Promise<boolean> {
  return whileComputing({ path, isOwn: true }, async () => {
    const found = await whileChanging(path, async () => {
      const file = await readIndexFile(path);
      const columnSets = file.columnSets.filter((set) => set.name !== name);
      if (columnSets.length === file.columnSets.length) return false;
      await writeIndexFile(path, { ...file, columnSets });
      return true;
    });
    if (found) await removeUnlisted(path, name);
    return found;
  });
}

/**
 * Deletes sets that were replaced, dropped or not finished. The caller holds the lock of {@link whileComputing}.
 *
 * @param name of the sets; without it, all of them
 */
export async function removeUnlisted(path: string, name?: string): Promise<void> {
  const listed = new Set((await readIndexFile(path)).columnSets.map(({ folder }) => basename(folder)));
  const place = join(path, columnsFolder);
  for (const found of await readdir(place).catch(() => [])) {
    if (listed.has(found) || (name !== undefined && !found.startsWith(`${name}-`))) continue;
    await rm(join(place, found), { recursive: true, force: true });
  }
}
