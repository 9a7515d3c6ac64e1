import type { Stats } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { unwritable } from "./output-path.ts";
import { syncFolder } from "./sync-folder.ts";

/**
 * Makes a folder and its parents, if they are missing. They stay after a power failure.
 *
 * @throws InputError if that fails
 */
export async function makeFolder(path: string): Promise<void> {
  let found: Stats;
  try {
    // Not `recursive`: where the file system refuses new folders with ENOENT, as /proc does, Node would try forever.
    for (const missing of await missingFolders(resolve(path))) {
      await mkdir(missing).catch((error: unknown) => {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOENT")
          throw new InputError(`${path}: this file system does not allow new folders; choose another place`);
        // Another process may have made it.
        if (code !== "EEXIST") throw error;
      });
      // The name of a new folder is stored in its parent.
      await syncFolder(dirname(missing));
    }
    found = await stat(path);
  } catch (error) {
    throw unwritable(path, error);
  }
  if (!found.isDirectory()) throw new InputError(`${path}: expected a folder, found a file`);
}

/** The folder and those of its parents that are missing, outermost first. */
async function missingFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let folder = path; ; folder = dirname(folder)) {
    const isThere = await stat(folder).then(
      () => true,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
        throw error;
      },
    );
    if (isThere) return missing.reverse();
    missing.push(folder);
  }
}
