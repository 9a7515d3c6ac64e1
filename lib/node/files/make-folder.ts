import { mkdir } from "node:fs/promises";
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
  try {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) return;
    // The name of each new folder is stored in its parent.
    const { length } = resolve(first);
    for (let made = resolve(path); made.length >= length; made = dirname(made)) {
      await syncFolder(dirname(made));
    }
  } catch (error) {
    const isFile = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw isFile ? new InputError(`${path}: expected a folder, found a file`) : unwritable(path, error);
  }
}
