import { mkdir } from "node:fs/promises";
import { InputError } from "../../errors/input-error.ts";
import { unwritable } from "./output-path.ts";

/** Makes a folder and its parents, if they are missing. @throws InputError if that fails */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    const isFile = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw isFile ? new InputError(`${path}: expected a folder, found a file`) : unwritable(path, error);
  });
}
