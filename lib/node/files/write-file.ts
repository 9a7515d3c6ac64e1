/** Writes files so that each appears complete or not at all, and stays after a power failure. */
import { copyFile, link, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { diskFull } from "./disk-space.ts";
import { unreadable } from "./file-source.ts";
import { unwritable } from "./output-path.ts";
import { removeOnSignal } from "./remove-on-signal.ts";
import { reserveOutput, type Output, type Reservation } from "./reserve-output.ts";
import { syncFolder } from "./sync-folder.ts";

/**
 * A file that is written under a temporary name in the same folder and renamed when it is complete. If the process
 * fails or is killed before that, the previous file stays.
 */
export class NewFile {
  readonly path: string;
  readonly #place: string;
  readonly #temporary: string;
  readonly #backup: string;
  readonly #file: FileHandle;
  readonly #finished: () => Promise<void>;
  #isOpen = true;

  private constructor({ path, place }: Reservation, file: FileHandle, finished: () => Promise<void>) {
    this.path = path;
    this.#place = place;
    this.#temporary = temporaryOf(place);
    this.#backup = `${place}.clipscope.old`;
    this.#file = file;
    const keep = removeOnSignal(this.#temporary);
    this.#finished = async () => {
      keep();
      await finished();
    };
  }

  /** @throws InputError if no file can be written to this path, or another process writes to it */
  static async create(output: Output): Promise<NewFile> {
    const isOwn = typeof output === "string";
    const reservation = isOwn ? await reserveOutput(output) : output;
    const finished = isOwn ? reservation.release : (): Promise<void> => Promise.resolve();
    try {
      // A killed process may have left a temporary file. The reservation shows that no other process writes to it.
      const file = await open(temporaryOf(reservation.place), "w");
      return new NewFile(reservation, file, finished);
    } catch (error) {
      await finished();
      throw unwritable(reservation.path, error);
    }
  }

  /** @throws InputError if the disk is full, or fails */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  /** Flushes the complete content to the disk. @throws InputError if that fails */
  async complete(): Promise<void> {
    try {
      await this.#file.sync();
      await this.#file.close();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Moves the complete file to its path.
   *
   * @param keepsPrevious so that `restore` can bring the previous file back
   * @throws InputError if that fails; the previous file stays then
   */
  async place({ keepsPrevious }: { readonly keepsPrevious: boolean }): Promise<void> {
    try {
      if (keepsPrevious) await keepCopy(this.#place, this.#backup);
      await rename(this.#temporary, this.#place);
      await syncFolder(dirname(this.#place));
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Undoes `place`. */
  async restore(): Promise<void> {
    await rename(this.#backup, this.#place).catch(async (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw this.#failure(error);
      await rm(this.#place, { force: true }); // there was no previous file
    });
  }

  /** Removes what is left of the work. May be called twice. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
    await rm(this.#backup, { force: true }).catch(() => undefined);
    await this.#finished();
  }

  #failure(error: unknown): Error {
    return diskFull(this.path, error) ?? unreadable(this.path, error);
  }
}

function temporaryOf(place: string): string {
  return `${place}.clipscope.tmp`;
}

/**
 * Gives a file a second name, or a copy if the file system has no such links. Does nothing if the file does not exist.
 */
async function keepCopy(path: string, copy: string): Promise<void> {
  await rm(copy, { force: true });
  await link(path, copy).catch(async (error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") await copyFile(path, copy);
  });
}

/**
 * Writes files together: each is complete before the first one is moved to its path, and if one cannot be moved, those
 * before it are moved back.
 *
 * @throws InputError if one cannot be written; nothing has changed then
 */
export async function writeTogether(
  outputs: readonly Output[],
  fill: (files: readonly NewFile[]) => Promise<void>,
): Promise<void> {
  const files: NewFile[] = [];
  const placed: NewFile[] = [];
  try {
    for (const output of outputs) files.push(await NewFile.create(output));
    await fill(files);
    for (const file of files) await file.complete();
    for (const file of files) {
      await file.place({ keepsPrevious: files.length > 1 });
      placed.push(file);
    }
  } catch (error) {
    for (const file of placed.reverse()) await file.restore();
    throw error;
  } finally {
    for (const file of files) await file.close();
  }
}

/** Writes a file. @throws InputError if it cannot be written; the previous file stays then */
export async function writeWhole(output: Output, parts: Iterable<Uint8Array>): Promise<void> {
  await writeTogether([output], async ([file]) => {
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
