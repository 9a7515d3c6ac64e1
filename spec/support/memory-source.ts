import { InputError } from "../../lib/errors/input-error.ts";
import type { ByteSource } from "../../lib/tensor/store.ts";

/** A file in memory that records what is read from it. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly reads: { offset: number; length: number }[] = [];
  closed = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = "memory.safetensors") {
    this.#bytes = bytes;
    this.name = name;
    this.size = bytes.length;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    this.reads.push({ offset, length });
    if (offset < 0 || length < 0 || offset + length > this.size) {
      return Promise.reject(new InputError(`${this.name}: cut short`));
    }
    return Promise.resolve(this.#bytes.slice(offset, offset + length));
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** A safetensors file with any header text and data, right or wrong. */
export function rawSafetensors(header: string | Uint8Array, data = new Uint8Array()): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}
