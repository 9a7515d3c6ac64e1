import { InputError } from "../errors/input-error.ts";
import type { SyncByteSource } from "./store.ts";

/** A file in memory. */
export class BytesSource implements SyncByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  readSync(offset: number, length: number): Uint8Array {
    if (offset >= 0 && offset + length <= this.size) return this.#bytes.subarray(offset, offset + length);
    throw new InputError(`${this.name}: cut short: expected ${offset + length} bytes, found ${this.size}`);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return Promise.resolve(this.readSync(offset, length));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
