/** Changes of `index.json`, one process at a time. */
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { TryAgainError } from "../../errors/try-again-error.ts";
import { encodeIndexFile, type IndexFile } from "../../retrieval/index-file.ts";
import { indexName } from "../../retrieval/layout.ts";
import { takeLock, withLock } from "../files/lock.ts";
import { writeWhole } from "../files/write-file.ts";
import { readIndexFile, settledPartitions } from "./read-index-file.ts";

/** How long another process may change the file, in ms. Changes take milliseconds; a killed task on another machine leaves its lock. */
const longestWait = 60_000;

/**
 * Runs `use` while no other process changes the index.
 *
 * @throws TryAgainError if another process holds the lock for a minute
 */
export async function whileChanging<T>(folder: string, use: () => Promise<T>): Promise<T> {
  const path = join(folder, "change.clipscope.lock");
  const signal = AbortSignal.timeout(longestWait);
  try {
    return await withLock(path, { onWait: () => undefined, signal }, use);
  } catch (error) {
    if (!signal.aborted || error instanceof InputError) throw error;
    throw new TryAgainError(
      `${folder}: another process has been changing the index for a minute; delete ${path} if it no longer runs`,
      [],
      { cause: error },
    );
  }
}

/** Replaces the file. The caller holds the lock. */
export async function writeIndexFile(folder: string, index: IndexFile): Promise<void> {
  await writeWhole(join(folder, indexName), [new TextEncoder().encode(encodeIndexFile(index))]);
}

/**
 * Records the partitions whose ids are settled. Skipped while another process does so: readers find committed partitions
 * that the file does not list.
 */
export async function publish(folder: string): Promise<void> {
  const lock = await takeLock(join(folder, "change.clipscope.lock"), folder);
  if ("heldBy" in lock) return;
  try {
    const index = await readIndexFile(folder);
    const partitions = await settledPartitions(folder, index);
    if (partitions.length > index.partitions.length) await writeIndexFile(folder, { ...index, partitions });
  } finally {
    await lock.release();
  }
}
