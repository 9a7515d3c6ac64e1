/** Checks of the path of an output file. */
import { constants } from "node:fs";
import { access, readlink, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { diskFull } from "./disk-space.ts";
import { unreadable } from "./file-source.ts";

/** The error for a file that cannot be written. */
export function unwritable(path: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT") return diskFull(path, error) ?? unreadable(path, error);
  return new InputError(`${path}: the folder does not exist; create it first`, [], { cause: error });
}

/** The error to report if writing failed: as `unwritable` for an error of the operating system, else unchanged. */
export function explainWriting(path: string, error: unknown): unknown {
  return error instanceof Error && "syscall" in error ? unwritable(path, error) : error;
}

/** The file that a path leads to, which may be missing. @throws an error of the system for links in a circle */
async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOOP") throw error;
    const target = await readlink(path).catch(() => null);
    if (target === null) return path;
    return followLinks(resolve(await realpath(dirname(path)), target));
  }
}

/**
 * Checks that a file can be written to a path. Nothing is written yet.
 *
 * @param inputs files that are read, which must not be overwritten; undefined and missing ones are ignored
 * @returns the path, with links resolved
 * @throws InputError if the path is one of the inputs, something other than a file, read-only, or in a folder that does
 *   not exist, or leads in a circle
 */
export async function placeFor(path: string, inputs: Iterable<string | undefined> = []): Promise<string> {
  const place = await followLinks(path).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  const found = await stat(place).catch(() => null);
  if (found === null) {
    const folder = await stat(dirname(place)).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    if (folder.isDirectory()) return place;
    throw new InputError(`${path}: ${dirname(path)} is not a folder`);
  }
  if (!found.isFile()) {
    throw new InputError(
      `${path}: expected a file, found ${found.isDirectory() ? "a folder" : "a device or a pipe"}`,
    );
  }
  let before: string | undefined;
  for (const input of inputs) {
    if (input === before) continue; // the images of a shard are one file
    before = input;
    const read = input === undefined ? null : await stat(input).catch(() => null);
    if (read?.ino !== found.ino || read.dev !== found.dev) continue;
    throw new InputError(`${path}: is an input, which would be overwritten; write to another file`);
  }
  // A rename would replace a read-only file.
  await access(place, constants.W_OK).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  return place;
}

/** @throws InputError for an output in a folder whose files belong together */
export async function assertOutside(path: string, folder: string): Promise<void> {
  const place = await followLinks(resolve(path)).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  const [of, to] = [await realpath(folder), await realFolder(place)];
  const inner = relative(of, to);
  if (inner === ".." || inner.startsWith(`..${sep}`) || isAbsolute(inner)) return;
  throw new InputError(`${path}: is in ${folder}, whose files must not change; choose another place`);
}

/** A path whose existing part has no links. */
async function realFolder(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  return realpath(path).catch(async () => resolve(await realFolder(parent), relative(parent, path)));
}
