/** Writes files so that each appears complete or not at all. */
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { unreadable } from "./file-source.ts";
import { placeFor, unwritable } from "./output-path.ts";
import { removeOnSignal } from "./remove-on-signal.ts";

/**
 * A file that is written under a temporary name in the same folder and renamed when it is complete. If the process
 * fails or is killed before, the previous file stays.
 */
export class NewFile {
  readonly path: string;
  readonly #place: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #keep: () => void;
  #isOpen = true;

  private constructor(path: string, place: string, temporary: string, file: FileHandle) {
    this.path = path;
    this.#place = place;
    this.#temporary = temporary;
    this.#file = file;
    this.#keep = removeOnSignal(temporary);
  }

  /** @throws InputError if no file can be written to this path */
  static async create(path: string): Promise<NewFile> {
    const place = await placeFor(path);
    const temporary = `${place}.${process.pid}.tmp`;
    const file = await open(temporary, "w").catch((error: unknown) => {
      throw unwritable(path, error);
    });
    return new NewFile(path, place, temporary, file);
  }

  /** @throws InputError if the disk is full, or fails */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes).catch((error: unknown) => {
      throw unreadable(this.path, error);
    });
  }

  /** Moves the complete file to its path. @throws InputError if that fails */
  async place(): Promise<void> {
    try {
      await this.#file.close();
      await rename(this.#temporary, this.#place);
      this.#isOpen = false;
      this.#keep();
    } catch (error) {
      throw unreadable(this.path, error);
    }
  }

  /** Removes the incomplete file. Does nothing after `place`. */
  async discard(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
    this.#keep();
  }
}

/**
 * Writes files together: each is complete before the first one is moved to its path.
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

/** Writes a file. @throws InputError if it cannot be written; the previous file stays then */
export async function writeWhole(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  await writeTogether([path], async ([file]) => {
    for (const part of parts) await file!.write(part);
  });
}

/** Writes all bytes at the current position of a file, or at the given one. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const at = position === undefined ? null : position + done;
    done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}
