/**
 * The inputs that an index has already: 8 bytes of a digest for each instead of its name, so that ten million take 160
 * MB. Two of 10 million inputs have the same digest with a probability of 3 in a million.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { IndexFile } from "../../retrieval/index-file.ts";
import { inputKey } from "./input-key.ts";
import { readParquetFile, readParquetRows } from "./parquet-file.ts";
import { readPlan } from "./read-plan.ts";
import { readPruned } from "./pruned.ts";
import { rowsPerGroup } from "./table-writer.ts";

/** A set of texts by their digests. */
export class DigestSet {
  /** Pairs of 32 bits in open addressing. The second is 0 in free places, and the first too unless it was deleted. */
  #table = new Uint32Array(2 * 1024);
  /** Places that are not free, deleted ones included. */
  #used = 0;

  add(text: string): void {
    if (4 * (this.#used + 1) > this.#table.length) this.#grow();
    const [high, low] = digestOf(text);
    if (insert(this.#table, high, low)) this.#used += 1;
  }

  has(text: string): boolean {
    const [high, low] = digestOf(text);
    const at = placeOf(this.#table, high, low);
    return this.#table[at] === high && this.#table[at + 1] === low;
  }

  delete(text: string): void {
    if (!this.has(text)) return;
    const [high, low] = digestOf(text);
    const at = placeOf(this.#table, high, low);
    [this.#table[at], this.#table[at + 1]] = [deleted, 0];
  }

  #grow(): void {
    const larger = new Uint32Array(2 * this.#table.length);
    for (let at = 0; at < this.#table.length; at += 2) {
      const [high, low] = [this.#table[at]!, this.#table[at + 1]!];
      if (low !== 0) insert(larger, high, low);
    }
    this.#table = larger;
  }
}

/** With a second number of 0: a place that later ones of the same slot must be looked for behind. */
const deleted = 1;

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

/** The inputs that the plans of an index list. */
export interface KnownInputs {
  /** In their states: the keys of `inputKey`. */
  readonly inputs: DigestSet;
  /** In any state. */
  readonly paths: DigestSet;
}

/**
 * Reads what the plans of an index list, images that could not be read and rows that were removed included: these do not
 * come back. Inputs that were pruned do, if their files are there again.
 */
export async function knownInputs(folder: string, index: IndexFile): Promise<KnownInputs> {
  const [inputs, paths] = [new DigestSet(), new DigestSet()];
  const add = (path: string, size: number | null, mtime: number | null): void => {
    inputs.add(inputKey(path, size, mtime));
    paths.add(path);
  };
  const pruned = await readPruned(folder);
  const forget = (before: number): void => {
    while (pruned[0] !== undefined && pruned[0].before <= before)
      for (const key of pruned.shift()!.keys) inputs.delete(key);
  };
  for (const entry of index.plans) {
    forget(entry.first);
    for (const partition of (await readPlan(folder, entry)).partitions) {
      if ("inputs" in partition) await addListed(join(folder, partition.inputs.file), add);
      else for (const { path, size, mtime } of partition.shards) add(path, size, mtime);
    }
  }
  forget(Infinity);
  return { inputs, paths };
}

async function addListed(
  path: string,
  add: (path: string, size: number | null, mtime: number | null) => void,
): Promise<void> {
  const file = await readParquetFile(path);
  for (let start = 0; start < file.rows; start += rowsPerGroup) {
    const end = Math.min(start + rowsPerGroup, file.rows);
    for (const row of await readParquetRows(file, start, end, ["image_path", "bytes", "mtime"]))
      add(String(row["image_path"]), row["bytes"] as number | null, row["mtime"] as number | null);
  }
}
