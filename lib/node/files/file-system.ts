/** The file system for features and probes. */
import { createReadStream } from "node:fs";
import { open, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { FileSystem, LineFile } from "../../features/host.ts";
import { FileSource, unreadable } from "./file-source.ts";
import { makeFolder } from "./make-folder.ts";
import { placeFor, unwritable } from "./output-path.ts";
import { removeRemains } from "./remains.ts";
import { lockOrRefuse, reserveOutputs } from "./reserve-output.ts";
import { syncFolder } from "./sync-folder.ts";
import { writeTogether, writeWhole } from "./write-file.ts";

export const nodeFileSystem: FileSystem = {
  open: (path) => FileSource.open(path),
  write: writeTogether,
  reserve: async (paths) => {
    const outputs = await reserveOutputs(paths);
    return {
      write: (fill) => writeTogether(outputs, fill),
      release: async () => {
        for (const output of outputs) await output.release();
      },
    };
  },
  openLines: (path) => NodeLineFile.open(path),
  makeFolder,
  removeRemains,
  version: (path) =>
    stat(path).then(
      ({ size, mtimeMs }) => `${size}\0${mtimeMs}`,
      () => "",
    ),
};

const lineBreak = 10;

/** How often appended lines are flushed to the disk, in ms. A power failure loses the work since the last flush. */
const syncInterval = 1000;

class NodeLineFile implements LineFile {
  readonly #path: string;
  readonly #place: string;
  readonly #release: () => Promise<void>;
  #file: FileHandle | null = null;
  #syncedAt = 0;

  private constructor(path: string, place: string, release: () => Promise<void>) {
    this.#path = path;
    this.#place = place;
    this.#release = release;
  }

  static async open(path: string): Promise<NodeLineFile> {
    const place = await placeFor(path);
    return new NodeLineFile(path, place, await lockOrRefuse(place, path));
  }

  async size(): Promise<number> {
    return (await stat(this.#place).catch(() => null))?.size ?? 0;
  }

  async *lines(): AsyncGenerator<Uint8Array, void, undefined> {
    if ((await this.size()) === 0) return;
    let parts: Buffer[] = [];
    for await (const chunk of this.#chunks()) {
      let start = 0;
      for (let end = chunk.indexOf(lineBreak); end !== -1; end = chunk.indexOf(lineBreak, start)) {
        yield Buffer.concat([...parts, chunk.subarray(start, end)]);
        parts = [];
        start = end + 1;
      }
      parts.push(chunk.subarray(start));
    }
  }

  async *#chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* createReadStream(this.#place) as AsyncIterable<Buffer>;
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }

  async replace(line: string): Promise<void> {
    await this.#file?.close();
    this.#file = null;
    await writeWhole({ path: this.#path, place: this.#place, release: () => Promise.resolve() }, [
      Buffer.from(`${line}\n`),
    ]);
  }

  async append(line: string): Promise<void> {
    try {
      const file = await this.#opened();
      await file.appendFile(`${line}\n`);
      if (performance.now() - this.#syncedAt < syncInterval) return;
      await file.datasync();
      this.#syncedAt = performance.now();
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }

  async truncate(size: number): Promise<void> {
    const file = await this.#opened();
    await file.truncate(size).catch((error: unknown) => {
      throw unwritable(this.#path, error);
    });
  }

  async close(): Promise<void> {
    // What a failing disk does not keep is done again.
    await this.#file?.datasync().catch(() => undefined);
    await this.#file?.close().catch(() => undefined);
    this.#file = null;
    await this.#release();
  }

  async remove(): Promise<void> {
    try {
      await this.#file?.close();
      this.#file = null;
      await rm(this.#place, { force: true });
      await syncFolder(dirname(this.#place));
    } catch (error) {
      throw unwritable(this.#path, error);
    } finally {
      await this.#release();
    }
  }

  async #opened(): Promise<FileHandle> {
    this.#file ??= await open(this.#place, "a").catch((error: unknown) => {
      throw unwritable(this.#path, error);
    });
    return this.#file;
  }
}
