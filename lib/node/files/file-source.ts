/** A file as a ByteSource: opened once, read by range. */
import { constants, readSync, type Stats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { InputError } from "../../errors/input-error.ts";
import type { SyncByteSource } from "../../tensor/store.ts";

/** Below the limit of the system call, 2 GiB. */
const mostAtOnce = 2 ** 30;

/** An open file. */
export class FileSource implements SyncByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: FileHandle;

  private constructor(name: string, size: number, file: FileHandle) {
    this.name = name;
    this.size = size;
    this.#file = file;
  }

  /** @throws InputError if the file does not exist, or cannot be read */
  static async open(path: string): Promise<FileSource> {
    // Not a check before the opening, which another process could outrun. O_NONBLOCK: opening a pipe without a writer
    // would wait for one forever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    const stat = await file.stat();
    if (stat.isFile()) return new FileSource(path, stat.size, file);
    await file.close();
    throw new InputError(`${path}: expected a file, found ${kindOf(stat)}`);
  }

  /** @throws InputError if the file ends first */
  async read(offset: number, length: number, reused?: Uint8Array): Promise<Uint8Array> {
    // Not zeroed, because all of it is filled below; this is several times as fast for large files.
    const bytes = reused?.subarray(0, length) ?? new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#file.read(
        bytes,
        done,
        Math.min(length - done, mostAtOnce),
        offset + done,
      );
      if (bytesRead === 0) throw this.#cutShort(offset, length, done);
      done += bytesRead;
    }
    return bytes;
  }

  /** @throws InputError if the file ends first */
  readSync(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#file.fd, bytes, done, Math.min(length - done, mostAtOnce), offset + done);
      if (count === 0) throw this.#cutShort(offset, length, done);
      done += count;
    }
    return bytes;
  }

  get descriptor(): number {
    return this.#file.fd;
  }

  #cutShort(offset: number, length: number, found: number): InputError {
    return new InputError(`${this.name}: cut short: expected ${length} bytes at ${offset}, found ${found}`);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/**
 * Reads a file into memory.
 *
 * @param most the greatest size that is accepted, in bytes
 * @throws InputError if the file does not exist, cannot be read, or is larger
 */
export async function readWhole(path: string, most: number): Promise<Uint8Array> {
  const file = await FileSource.open(path);
  try {
    if (file.size > most) {
      throw new InputError(`${path}: expected at most ${most} bytes, found ${file.size}`);
    }
    return await file.read(0, file.size);
  } finally {
    await file.close();
  }
}

/** What a path that is not a regular file leads to. */
export function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return "a folder";
  if (stat.isFIFO()) return "a pipe";
  return stat.isSocket() ? "a socket" : "a device";
}

/** The error for a file that cannot be read. */
export function unreadable(path: string, error: unknown): InputError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: "no such file or folder",
    EACCES: "permission denied",
    ENOTDIR: "a part of the path is not a folder",
    EISDIR: "expected a file, found a folder",
    EMFILE: "too many open files",
    ENXIO: "expected a file, found a socket or a device",
    ELOOP: "a link that points to itself",
    ENAMETOOLONG: "the name is too long",
    EROFS: "the file system is read-only; write to another place",
    EPERM: "the operation is not permitted",
    EIO: "the disk failed to read or write; check it",
  };
  // Node writes bytes that are not UTF-8 as U+FFFD, and does not find the file by this name.
  const isRenamed = code === "ENOENT" && path.includes("\ufffd");
  const reason = isRenamed
    ? "no such file or folder, or its name is not UTF-8; rename it"
    : reasons[code ?? ""];
  return new InputError(`${path}: ${reason ?? message}`, [], { cause: error });
}
