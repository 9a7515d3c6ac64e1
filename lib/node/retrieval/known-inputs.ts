/**
 * The inputs that an index has already: 8 bytes of a digest for each instead of its name, so that ten million take 160
 * MB. Two of 10 million inputs have the same digest with a probability of 3 in a million.
 */
import { createHash } from "node:crypto";

/** A set of texts by their digests. */
export class DigestSet {
  /** Pairs of 32 bits in open addressing; 0, 0 is free. */
  #table = new Uint32Array(2 * 1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(text: string): void {
    if (4 * (this.#size + 1) > this.#table.length) this.#grow();
    const [high, low] = digestOf(text);
    if (insert(this.#table, high, low)) this.#size += 1;
  }

  has(text: string): boolean {
    const [high, low] = digestOf(text);
    const at = placeOf(this.#table, high, low);
    return this.#table[at] === high && this.#table[at + 1] === low;
  }

  #grow(): void {
    const larger = new Uint32Array(2 * this.#table.length);
    for (let at = 0; at < this.#table.length; at += 2) {
      const [high, low] = [this.#table[at]!, this.#table[at + 1]!];
      if (high !== 0 || low !== 0) insert(larger, high, low);
    }
    this.#table = larger;
  }
}

function digestOf(text: string): readonly [high: number, low: number] {
  const digest = createHash("sha1").update(text).digest();
  // Never the mark of a free place.
  return [digest.readUInt32LE(0), digest.readUInt32LE(4) || 1];
}

/** Where a digest is, or the free place where it belongs. */
function placeOf(table: Uint32Array, high: number, low: number): number {
  const mask = table.length / 2 - 1;
  let slot = (high ^ Math.imul(low, 0x9e3779b1)) & mask;
  for (;;) {
    const at = 2 * slot;
    const isFree = table[at] === 0 && table[at + 1] === 0;
    if (isFree || (table[at] === high && table[at + 1] === low)) return at;
    slot = (slot + 1) & mask;
  }
}

function insert(table: Uint32Array, high: number, low: number): boolean {
  const at = placeOf(table, high, low);
  if (table[at] === high && table[at + 1] === low) return false;
  table[at] = high;
  table[at + 1] = low;
  return true;
}

/** A file in one state: another size or time of change is another input. */
export function inputKey(path: string, size: number | null, mtime: number | null): string {
  return `${path}\0${size}\0${mtime}`;
}
