/** A file in memory that answers as lib/node/files/file-source.ts does. */
import { InputError } from "../../lib/errors/input-error.ts";
import type { SyncByteSource } from "../../lib/tensor/store.ts";
import { limits } from "./oracle.ts";

export class MemoryFile implements SyncByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;
  #isClosed = false;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.name = name;
    this.size = bytes.length;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- an error becomes a rejection
  async read(offset: number, length: number): Promise<Uint8Array> {
    return this.readSync(offset, length);
  }

  readSync(offset: number, length: number): Uint8Array {
    if (this.#isClosed) throw new Error("a read after close");
    // A file allocates the memory before it finds that there are fewer bytes.
    if (!Number.isSafeInteger(offset) || offset < 0 || !(length >= 0 && length <= limits.memory)) {
      throw new RangeError(`a read of ${length} bytes at ${offset}`);
    }
    if (offset + length > this.size) throw new InputError(`${this.name}: cut short`);
    return this.#bytes.slice(offset, offset + length);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  /** @throws Error if a reader that refused the file left it open */
  assertClosed(): void {
    if (!this.#isClosed) throw new Error("the file stays open after an error");
  }
}
