/**
 * Near-duplicates of a whole collection: every pair of rows whose similarity reaches a threshold is found, and the
 * connected components of these pairs are the groups.
 */
import { createHash } from "node:crypto";
import { InputError } from "../../../errors/input-error.ts";
import { DisjointSets } from "../../../retrieval/duplicates/disjoint-sets.ts";
import type { Side } from "../../../retrieval/layout.ts";
import { rowsAdmitted } from "./rows-admitted.ts";
import { pairScanOf } from "./pair-scan-of.ts";
import type { PairJournal } from "./pair-journal.ts";
import type { ComputedIndex } from "../searched-index.ts";

/** Rows whose pairs are recorded together. */
export const chunkRows = 4096;

export interface PairOptions {
  readonly threshold: number;
  readonly side: Side;
  readonly where?: string;
  /** Null for folders that are not written to. */
  readonly journal: PairJournal | null;
  readonly onProgress: (done: number, total: number) => void;
}

/** The rows that have near-duplicates. */
export interface Components {
  /** The rows that were compared. */
  readonly compared: number;
  /** Ids in ascending order, of two or more rows each; in the order of their first rows. */
  readonly groups: readonly (readonly number[])[];
}

/**
 * The groups of rows whose similarities reach the threshold, directly or over others. Exact: the dot products that decide
 * are those of the stored vectors in float64.
 *
 * @throws InputError for a condition that is not one, and vectors with numbers that are not finite
 */
export async function findComponents(
  index: ComputedIndex,
  { threshold, side, where, journal, onProgress }: PairOptions,
): Promise<Components> {
  const ids = await rowsAdmitted(index, side, where);
  await journal?.open([index.generation, threshold, side, digestOf(ids)]);
  const scan = await pairScanOf(index, ids, side, threshold);
  const sets = new DisjointSets(ids.length);
  for (let first = 0; first < ids.length; first += chunkRows) {
    const end = Math.min(first + chunkRows, ids.length);
    const known = await journal?.read(first);
    const pairs: number[] = [];
    if (known == null) {
      await scan.scan(first, end, threshold, async (a, candidates) => {
        const others = candidates.filter((b) => sets.find(a) !== sets.find(b));
        if (others.length === 0) return;
        const vectors = await index.readRows([ids[a]!, ...Array.from(others, (b) => ids[b]!)], side);
        for (const [i, b] of others.entries())
          if (productOf(vectors, 0, i + 1, index.width) >= threshold && sets.join(a, b)) pairs.push(a, b);
      });
      await journal?.write(first, pairs);
    } else for (let i = 0; i < known.length; i += 2) sets.join(known[i]!, known[i + 1]!);
    // Later rows have fewer left to be compared with.
    const left = ids.length - end;
    onProgress(Math.round(ids.length * (1 - (left / ids.length) ** 2)), ids.length);
  }
  return { compared: ids.length, groups: groupsOf(sets, ids) };
}

/** The dot product of two rows of a matrix. */
export function productOf(values: Float32Array, a: number, b: number, width: number): number {
  let sum = 0;
  for (let i = 0, x = a * width, y = b * width; i < width; i++) sum += values[x + i]! * values[y + i]!;
  return sum;
}

function digestOf(ids: Float64Array): string {
  return createHash("sha256").update(new Uint8Array(ids.buffer)).digest("hex");
}

function groupsOf(sets: DisjointSets, ids: Float64Array): number[][] {
  const groups = new Map<number, number[]>();
  for (let place = 0; place < ids.length; place++) {
    const root = sets.find(place);
    if (root === place) continue;
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [ids[root]!, ids[place]!]);
    else group.push(ids[place]!);
  }
  return [...groups.values()].sort(([a], [b]) => a! - b!);
}

/** @throws InputError for a threshold that is not a similarity above 0 */
export function assertThreshold(threshold: number): void {
  if (threshold > 0 && threshold <= 1) return;
  throw new InputError(`dedup: threshold: expected a similarity above 0, at most 1, found ${threshold}`);
}
