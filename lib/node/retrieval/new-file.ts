/**
 * A file of a partition while it is written. Several processes may write the same partition, since a scheduler may run a
 * task twice, so the temporary names contain the machine and the process; the last rename wins, with the same bytes.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { WrittenFile } from "../../retrieval/marker.ts";
import { unwritable } from "../files/output-path.ts";
import { removeAtExit } from "../files/remove-at-exit.ts";
import { writeAll } from "../files/write-file.ts";

const host = hostname().replaceAll(/[^\w.-]/g, "_");

/** "NAME.tmp-HOST-PID", which no reader of `*.npy` or `*.parquet` matches. */
export function temporaryPath(path: string): string {
  return `${path}.tmp-${host}-${process.pid}`;
}

export const temporaryPattern = /\.tmp-([\w.-]+)-(\d+)$/;

/** The subfolders in which partitions are written. */
const subfolders = ["img_emb", "text_emb", "metadata", "failed", "stats", "inputs", "leases"];

/** Deletes the temporary files of processes of this machine that were killed. Never fails. */
export async function removeDeadTemporaries(folder: string): Promise<void> {
  for (const subfolder of subfolders) {
    const path = join(folder, subfolder);
    for (const name of await readdir(path).catch(() => [])) {
      const [, of, pid] = temporaryPattern.exec(name) ?? [];
      if (of !== host || isAlive(Number(pid))) continue;
      await rm(join(path, name), { force: true }).catch(() => undefined);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export class NewPartitionFile {
  /** In the index folder. */
  readonly path: string;
  readonly #place: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #keep: () => void;
  #isOpen = true;

  private constructor(folder: string, path: string, temporary: string, file: FileHandle) {
    this.path = path;
    this.#place = join(folder, path);
    this.#temporary = temporary;
    this.#file = file;
    this.#keep = removeAtExit(temporary);
  }

  /** @param path in the index folder, whose subfolder exists @throws InputError if it cannot be written */
  static async create(folder: string, path: string): Promise<NewPartitionFile> {
    const temporary = temporaryPath(join(folder, path));
    try {
      await rm(temporary, { force: true });
      return new NewPartitionFile(folder, path, temporary, await open(temporary, "wx"));
    } catch (error) {
      throw unwritable(join(folder, path), error);
    }
  }

  /** Appends, or with a position overwrites. @throws InputError if the disk is full, or fails */
  async write(bytes: Uint8Array, position?: number): Promise<void> {
    await writeAll(this.#file, bytes, position).catch((error: unknown) => {
      throw unwritable(this.#place, error);
    });
  }

  /** Brings the content to the disk. @returns its size and digest */
  async complete(): Promise<WrittenFile> {
    try {
      await this.#file.sync();
      await this.#close();
      const { size } = await stat(this.#temporary);
      return { path: this.path, size, sha256: await sha256OfFile(this.#temporary) };
    } catch (error) {
      throw unwritable(this.#place, error);
    }
  }

  /** Moves the complete file to its place. */
  async move(): Promise<void> {
    try {
      await rename(this.#temporary, this.#place);
      this.#keep();
    } catch (error) {
      throw unwritable(this.#place, error);
    }
  }

  /** Deletes what is not moved. Never fails. */
  async discard(): Promise<void> {
    await this.#close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
    this.#keep();
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }
}

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
