import { InputError } from "../errors/input-error.ts";
import type { ByteSource } from "../tensor/store.ts";

/** A file that the user has chosen or dropped. Only the ranges that are asked for are read. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #blob: Blob;

  constructor(name: string, blob: Blob) {
    this.name = name;
    this.size = blob.size;
    this.#blob = blob;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(await this.#blob.slice(offset, offset + length).arrayBuffer());
    if (bytes.length === length) return bytes;
    throw new InputError(
      `${this.name}: cut short: expected ${offset + length} bytes, found ${offset + bytes.length}`,
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
