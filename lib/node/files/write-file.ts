/** Files that appear whole or not at all. */
import { rmSync } from "node:fs";
import { mkdir, open, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { unreadable } from "./file-source.ts";

/** Why nothing can be written to a path, in a line for people. */
export function unwritable(path: string, error: unknown): InputError {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT") return unreadable(path, error);
  return new InputError(`${path}: no such folder to write to; make it first`, [], { cause: error });
}

/**
 * Where a new file of a path will stand: what a link points at. Nothing is written yet.
 *
 * @param inputs files that are read; those that are not named or not there do not count
 * @throws InputError if that is one of the inputs, there is something else than a file, or no folder for it
 */
export async function placeFor(path: string, inputs: readonly (string | undefined)[] = []): Promise<string> {
  const place = await realpath(path).catch(() => path);
  const there = await stat(place).catch(() => null);
  if (there === null) {
    const folder = await stat(dirname(place)).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    if (folder.isDirectory()) return place;
    throw new InputError(`${path}: ${dirname(path)} is no folder`);
  }
  if (!there.isFile()) {
    throw new InputError(
      `${path}: expected a file, found ${there.isDirectory() ? "a folder" : "a device or a pipe"}`,
    );
  }
  for (const input of inputs) {
    const read = input === undefined ? null : await stat(input).catch(() => null);
    if (read?.ino !== there.ino || read.dev !== there.dev) continue;
    throw new InputError(`${path}: is read here, and would be overwritten; write to another file`);
  }
  return place;
}

/** What a signal must not leave behind. */
const unfinished = new Set<string>();

function cleanUp(signal: NodeJS.Signals): void {
  for (const path of unfinished) rmSync(path, { force: true });
  process.kill(process.pid, signal);
}

/** Has a signal that ends the process remove a file too, until the function returned is called. */
export function removeOnSignal(path: string): () => void {
  if (unfinished.size === 0) process.once("SIGINT", cleanUp).once("SIGTERM", cleanUp);
  unfinished.add(path);
  return () => {
    if (unfinished.delete(path) && unfinished.size === 0) {
      process.off("SIGINT", cleanUp).off("SIGTERM", cleanUp);
    }
  };
}

/**
 * A file that is written beside its place and moves there when it is complete: whoever is killed or fails half-way
 * leaves what was there before.
 */
export class NewFile {
  readonly path: string;
  readonly #place: string;
  readonly #beside: string;
  readonly #file: FileHandle;
  readonly #finished: () => void;

  private constructor(path: string, place: string, beside: string, file: FileHandle) {
    this.path = path;
    this.#place = place;
    this.#beside = beside;
    this.#file = file;
    this.#finished = removeOnSignal(beside);
  }

  /** @throws InputError if no file can be written there */
  static async create(path: string): Promise<NewFile> {
    const place = await placeFor(path);
    const beside = `${place}.${process.pid}.tmp`;
    const file = await open(beside, "w").catch((error: unknown) => {
      throw unwritable(path, error);
    });
    return new NewFile(path, place, beside, file);
  }

  /** @throws InputError if the disk is full, or fails */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes).catch((error: unknown) => {
      throw unreadable(this.path, error);
    });
  }

  /** Puts the file in its place. @throws InputError if something stands there that it cannot replace */
  async place(): Promise<void> {
    try {
      await this.#file.close();
      await rename(this.#beside, this.#place);
      this.#finished();
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  /** Removes what is not in its place; harmless afterwards. */
  async discard(): Promise<void> {
    if (!unfinished.has(this.#beside)) return;
    await this.#file.close().catch(() => undefined);
    await rm(this.#beside, { force: true }).catch(() => undefined);
    this.#finished();
  }
}

/**
 * Writes files together: each is complete before the first moves to its place.
 *
 * @throws InputError if one cannot be written; nothing has changed then
 */
export async function writeTogether(
  paths: readonly string[],
  fill: (files: readonly NewFile[]) => Promise<void>,
): Promise<void> {
  const files: NewFile[] = [];
  try {
    for (const path of paths) files.push(await NewFile.create(path));
    await fill(files);
    for (const file of files) await file.place();
  } finally {
    for (const file of files) await file.discard();
  }
}

/** Makes a folder, and those above it, unless they are there. @throws InputError if that cannot be */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    const isFile = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw isFile ? new InputError(`${path}: expected a folder, found a file`) : unreadable(path, error);
  });
}

/** Writes a file, whole or not at all. @throws InputError if it cannot be written */
export async function writeWhole(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  await writeTogether([path], async ([file]) => {
    for (const part of parts) await file!.write(part);
  });
}

/** Writes bytes where the last ones ended, or at a position. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const at = position === undefined ? null : position + done;
    done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}
