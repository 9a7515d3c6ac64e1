/**
 * Leases of partitions, for tasks that take over the work of others (`--steal`): a file that one process can create, and
 * that it touches while it works. Two tasks on one partition would waste time but write the same bytes.
 */
import { open, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { partitionName } from "../../retrieval/layout.ts";
import { makeFolder } from "../files/make-folder.ts";
import { unwritable } from "../files/output-path.ts";
import { temporaryPath } from "./new-file.ts";

/** A lease that was not touched for this long is free, in ms. */
const expiry = 120_000;
const interval = expiry / 4;

export interface Lease {
  readonly release: () => Promise<void>;
}

/** @returns null if another task holds it */
export async function takeLease(folder: string, partition: number): Promise<Lease | null> {
  const path = join(folder, "leases", partitionName(partition));
  try {
    await makeFolder(dirname(path));
    if (!(await create(path)) && !((await hasExpired(path)) && (await create(path)))) return null;
  } catch (error) {
    throw unwritable(path, error);
  }
  const timer = setInterval(() => {
    const now = new Date();
    void utimes(path, now, now).catch(() => undefined);
  }, interval);
  timer.unref();
  return {
    release: async () => {
      clearInterval(timer);
      await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

async function create(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx")).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Removes an expired lease. Its age is measured by the clock of the file system, which all machines share. */
async function hasExpired(path: string): Promise<boolean> {
  const probe = temporaryPath(path);
  await (await open(probe, "w")).close();
  try {
    const [now, held] = await Promise.all([stat(probe), stat(path).catch(() => null)]);
    if (held !== null && now.mtimeMs - held.mtimeMs < expiry) return false;
    // Renamed first, so that of two tasks only one removes it.
    if (held !== null) await rename(path, probe);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  } finally {
    await rm(probe, { force: true });
  }
}
