import { InputError } from "../errors/input-error.ts";
import type { ByteSource } from "./store.ts";

/** A file in memory. */
export class BytesSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.size = bytes.length;
    this.#bytes = bytes;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < 0 || offset + length > this.size) {
      return Promise.reject(
        new InputError(`${this.name}: cut short: expected ${offset + length} bytes, found ${this.size}`),
      );
    }
    return Promise.resolve(this.#bytes.subarray(offset, offset + length));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
