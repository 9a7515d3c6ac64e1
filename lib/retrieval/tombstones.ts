/**
 * The deleted rows of an index: a bitmap, bit `id & 7` of byte `id >> 3`.
 *
 * The file `deleted.bin` is 8 bytes of magic, the generation and the number of bits as little-endian float64, then the
 * bitmap. Rows beyond its end are not deleted.
 */
import { InputError } from "../errors/input-error.ts";

const magic = "clipdel1";
const headBytes = 24;

/** The rows that were deleted: one bit for each id. */
export class Tombstones {
  #bits: Uint8Array;
  #count = 0;

  /** @param bits a bitmap, which is taken over */
  constructor(bits: Uint8Array = new Uint8Array()) {
    this.#bits = bits;
    for (const byte of bits) this.#count += ones(byte);
  }

  /** How many rows are deleted. */
  get count(): number {
    return this.#count;
  }

  /** The bitmap, which may end before the last row. */
  get bits(): Uint8Array {
    return this.#bits;
  }

  has(id: number): boolean {
    return ((this.#bits[Math.floor(id / 8)] ?? 0) & (1 << (id % 8))) !== 0;
  }

  add(id: number): void {
    if (this.has(id)) return;
    const at = Math.floor(id / 8);
    if (at >= this.#bits.length) {
      const longer = new Uint8Array(Math.max(at + 1, 2 * this.#bits.length));
      longer.set(this.#bits);
      this.#bits = longer;
    }
    this.#bits[at]! |= 1 << (id % 8);
    this.#count += 1;
  }

  /** How many of the rows from `start` to `end`, exclusive, are deleted. */
  countIn(start: number, end: number): number {
    let count = 0;
    for (let id = start; id < end;) {
      if (id % 8 === 0 && id + 8 <= end) {
        count += ones(this.#bits[id / 8] ?? 0);
        id += 8;
      } else {
        if (this.has(id)) count += 1;
        id += 1;
      }
    }
    return count;
  }

  /** @param rows of the index: the length of the bitmap in the file */
  encode(generation: number, rows: number): Uint8Array {
    const file = new Uint8Array(headBytes + Math.ceil(rows / 8));
    file.set(new TextEncoder().encode(magic));
    const view = new DataView(file.buffer);
    view.setFloat64(8, generation, true);
    view.setFloat64(16, rows, true);
    file.set(this.#bits.subarray(0, file.length - headBytes), headBytes);
    return file;
  }

  /**
   * @param generation of the index: the tombstones of another one do not count
   * @throws InputError if the bytes are not such a file
   */
  static decode(bytes: Uint8Array, generation: number, where: string): Tombstones {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isWhole =
      bytes.length >= headBytes &&
      new TextDecoder().decode(bytes.subarray(0, 8)) === magic &&
      Math.ceil(view.getFloat64(16, true) / 8) === bytes.length - headBytes;
    if (!isWhole) {
      throw new InputError(`${where}: expected a whole file of deleted rows, found another or a damaged one`);
    }
    return view.getFloat64(8, true) === generation
      ? new Tombstones(bytes.slice(headBytes))
      : new Tombstones();
  }
}

function ones(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
