/** The file system for features and probes. */
import { createReadStream } from "node:fs";
import { open, rm, stat, type FileHandle } from "node:fs/promises";
import type { FileSystem, LineFile } from "../../features/host.ts";
import { FileSource } from "./file-source.ts";
import { makeFolder } from "./make-folder.ts";
import { unwritable } from "./output-path.ts";
import { writeTogether } from "./write-file.ts";

export const nodeFileSystem: FileSystem = {
  open: (path) => FileSource.open(path),
  write: writeTogether,
  openLines: (path) => NodeLineFile.open(path),
  makeFolder,
  version: (path) =>
    stat(path).then(
      ({ size, mtimeMs }) => `${size}\0${mtimeMs}`,
      () => "",
    ),
};

const lineBreak = 10;

class NodeLineFile implements LineFile {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async open(path: string): Promise<NodeLineFile> {
    const file = await open(path, "a+").catch((error: unknown) => {
      throw unwritable(path, error);
    });
    return new NodeLineFile(path, file);
  }

  async *lines(): AsyncGenerator<Uint8Array, void, undefined> {
    let parts: Buffer[] = [];
    for await (const chunk of createReadStream(this.#path) as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(lineBreak); end !== -1; end = chunk.indexOf(lineBreak, start)) {
        yield Buffer.concat([...parts, chunk.subarray(start, end)]);
        parts = [];
        start = end + 1;
      }
      parts.push(chunk.subarray(start));
    }
  }

  async append(line: string): Promise<void> {
    await this.#file.appendFile(`${line}\n`);
  }

  async truncate(size: number): Promise<void> {
    await this.#file.truncate(size);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path);
  }
}
