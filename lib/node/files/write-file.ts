/** Writes files so that each appears complete or not at all, and stays after a power failure. */
import { copyFile, link, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { unwritable } from "./output-path.ts";
import { removeAtExit } from "./remove-at-exit.ts";
import { reserveOutput, type Output, type Reservation } from "./reserve-output.ts";
import { syncFolder } from "./sync-folder.ts";

/**
 * A file that is written under a temporary name in the same folder and renamed when it is complete. If the process
 * fails or is killed before, the previous file stays.
 */
export class NewFile {
  readonly path: string;
  readonly place: string;
  readonly #temporary: string;
  readonly #backup: string;
  readonly #file: FileHandle;
  readonly #finished: () => Promise<void>;
  #isOpen = true;
  #previous: Previous = "none";

  private constructor({ path, place }: Reservation, file: FileHandle, finished: () => Promise<void>) {
    this.path = path;
    this.place = place;
    this.#temporary = temporaryOf(place);
    this.#backup = `${place}.clipscope.old`;
    this.#file = file;
    const keep = [this.#temporary, this.#backup].map((path) => removeAtExit(path));
    this.#finished = async () => {
      for (const revoke of keep) revoke();
      await finished();
    };
  }

  /** @throws InputError if no file can be written to this path, or another process writes to it */
  static async create(output: Output): Promise<NewFile> {
    const isOwn = typeof output === "string";
    const reservation = isOwn ? await reserveOutput(output) : output;
    const finished = isOwn ? reservation.release : (): Promise<void> => Promise.resolve();
    try {
      return new NewFile(reservation, await createAlone(temporaryOf(reservation.place)), finished);
    } catch (error) {
      await finished();
      throw unwritable(reservation.path, error);
    }
  }

  /** @throws InputError if the disk is full, or fails */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes).catch((error: unknown) => {
      throw unwritable(this.path, error);
    });
  }

  /** Brings the complete content to the disk. @throws InputError if that fails */
  async complete(): Promise<void> {
    try {
      await this.#file.sync();
      await this.#file.close();
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /**
   * Moves the complete file to its path, and keeps the previous file for `restore`.
   *
   * @param mayCopy if the file system has no second names, keep a copy of the previous file
   * @throws InputError if that fails; the previous file stays then
   */
  async move({ mayCopy }: { readonly mayCopy: boolean }): Promise<void> {
    try {
      this.#previous = await keepPrevious(this.place, this.#backup, mayCopy);
      await rename(this.#temporary, this.place);
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /** Undoes `move`, if the previous file was kept. */
  async restore(): Promise<void> {
    if (this.#previous === "kept") await rename(this.#backup, this.place);
    else if (this.#previous === "none") await rm(this.place, { force: true });
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
}

function temporaryOf(place: string): string {
  return `${place}.clipscope.tmp`;
}

/**
 * Creates a file at the path of a temporary one, where a killed process may have left another. The caller has reserved
 * the output, so nobody else uses the path.
 */
export async function createAlone(path: string): Promise<FileHandle> {
  // Deleted, not emptied: a link at this path would lead to another file.
  await rm(path, { force: true });
  return open(path, "wx");
}

/** The previous file at an output's path: there was none, it has a second name, or it cannot be brought back. */
type Previous = "none" | "kept" | "replaced";

/** The errors of file systems that give a file only one name. */
const withoutLinks = ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EXDEV"];

/** Gives a file a second name. */
async function keepPrevious(path: string, copy: string, mayCopy: boolean): Promise<Previous> {
  await rm(copy, { force: true });
  try {
    await link(path, copy);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "none";
    if (!withoutLinks.includes(code)) throw error;
    if (!mayCopy) return "replaced";
    await copyFile(path, copy);
  }
  return "kept";
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
  const moved: NewFile[] = [];
  try {
    for (const output of outputs) files.push(await NewFile.create(output));
    await fill(files);
    for (const file of files) await file.complete();
    for (const file of files) {
      await file.move({ mayCopy: files.length > 1 });
      moved.push(file);
    }
    for (const folder of new Set(files.map(({ place }) => dirname(place)))) {
      await syncFolder(folder).catch((error: unknown) => {
        throw unwritable(folder, error);
      });
    }
  } catch (error) {
    // If the disk does not allow even this, each file is still complete, old or new.
    for (const file of moved.reverse()) await file.restore().catch(() => undefined);
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
export async function writeAll(
  file: Pick<FileHandle, "write">,
  bytes: Uint8Array,
  position?: number,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const at = position === undefined ? null : position + done;
    done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}
