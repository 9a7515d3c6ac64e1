/** What a killed process leaves beside a file that it had finished. */
import { lstat, rm } from "node:fs/promises";
import { InputError } from "../../errors/input-error.ts";
import { takeLock } from "./lock.ts";
import { placeFor } from "./output-path.ts";

/**
 * Removes backups, temporary files and journals of a finished file, and the locks of dead processes. What a running
 * process uses stays, and so does everything in a folder that cannot be written.
 */
export async function removeRemains(path: string): Promise<void> {
  await removeUnderLock(path, [".clipscope.old", ".clipscope.tmp"]);
  await removeUnderLock(`${path}.journal`, [""]);
}

/** Removes the files with these endings, if their lock is free. */
async function removeUnderLock(path: string, endings: readonly string[]): Promise<void> {
  try {
    const place = await placeFor(path);
    const lockPath = `${place}.clipscope.lock`;
    const files = endings.map((ending) => `${place}${ending}`);
    if (!(await isAnyThere([...files, lockPath]))) return;
    const lock = await takeLock(lockPath, path);
    if ("heldBy" in lock) return;
    for (const file of files) await rm(file, { force: true }).catch(() => undefined);
    await lock.release();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

async function isAnyThere(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}
