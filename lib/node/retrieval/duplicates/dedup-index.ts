/** Near-duplicates of an index: the groups, the best row of each, columns, and deleting the others. */
import { createHash } from "node:crypto";
import { InputError } from "../../../errors/input-error.ts";
import type { MetadataRow } from "../../../retrieval/columns.ts";
import type { Side } from "../../../retrieval/layout.ts";
import { assertSetName, type ColumnSet } from "../../../retrieval/column-sets.ts";
import {
  assertGeneration,
  whileComputing,
  writeColumnSet,
  type NewColumnSet,
} from "../columns/write-column-set.ts";
import { deleteIds } from "../delete-ids.ts";
import { readIndexFile } from "../read-index-file.ts";
import type { ComputedIndex, IndexPartition } from "../searched-index.ts";
import { assertThreshold, findComponents, productOf } from "./find-duplicates.ts";
import { PairJournal } from "./pair-journal.ts";

/** Options of `OpenedIndex.dedup`. */
export interface DedupOptions {
  /** The similarity from which on two rows are near-duplicates. Default: 0.94. */
  readonly threshold?: number;
  /** What is compared: the vectors of images (default) or of captions. */
  readonly side?: Side;
  /** Only the rows that fulfil a condition, as in queries. */
  readonly where?: string;
  /** A column of numbers: the row with the greatest is the best of its group. Default: the row with the least id. */
  readonly best?: string;
  /**
   * Write columns: NAME (the number of the group), NAME.keep and NAME.similarity (to the best row of the group). With
   * `remove`, columns of this name that all partitions have stay as they are if no group is left.
   */
  readonly as?: string;
  /** Delete all rows of each group but the best. */
  readonly remove?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with the groups before any row is deleted; if it fails, none is. */
  readonly onFound?: (found: Pick<DedupReport, "groups">) => Promise<void>;
}

/** Rows that are near-duplicates of each other, directly or over others. */
export interface DuplicateGroup {
  /** The id of the row to keep. */
  readonly best: number;
  /** The other rows, by falling similarity. */
  readonly others: readonly DuplicateRow[];
}

/** A row besides the best of its group. */
export interface DuplicateRow {
  readonly id: number;
  /** To the best row. Below the threshold for rows that are connected to it over others. */
  readonly similarity: number;
}

/** What `OpenedIndex.dedup` found and did. */
export interface DedupReport {
  readonly threshold: number;
  /** Rows that were compared with each other. */
  readonly compared: number;
  /** In the order of their first rows. */
  readonly groups: readonly DuplicateGroup[];
  /** Rows besides the best ones. */
  readonly duplicates: number;
  readonly removed: number;
  /** Whether columns were written. */
  readonly hasWritten: boolean;
}

const defaultThreshold = 0.94;

/**
 * Finds the near-duplicates of an index. Started again after an interruption, it continues.
 *
 * @throws InputError for options that do not fit, and for `as` and `remove` in a folder that has no `index.json`
 */
export async function dedupIndex(index: ComputedIndex, options: DedupOptions = {}): Promise<DedupReport> {
  const { threshold = defaultThreshold, as: name, remove = false } = options;
  assertThreshold(threshold);
  if (name !== undefined) assertSetName(name);
  const values = await valuesOf(index, options.best);
  if (!index.isOwn && name === undefined && !remove) {
    const report = await find(index, threshold, values, options, null);
    await options.onFound?.(report);
    return { ...report, removed: 0, hasWritten: false };
  }
  return whileComputing(index, async () => {
    const file = await readIndexFile(index.path);
    assertGeneration(index, file);
    const journal = new PairJournal(index.path);
    const report = await find(index, threshold, values, options, journal);
    // The columns of a run that has deleted its rows stay, also if it was stopped right after that.
    const isDone = remove && report.groups.length === 0 && hasAll(file.columnSets, name, index.partitions);
    const hasWritten = name !== undefined && !isDone;
    if (hasWritten) await writeGroups(index, name, report);
    await options.onFound?.(report);
    const others = report.groups.flatMap((group) => group.others.map(({ id }) => id));
    const removed = remove ? await deleteIds(index.path, index.generation, others) : 0;
    await journal.remove();
    return { ...report, removed, hasWritten };
  });
}

/** Whether every partition has the columns of a name. */
function hasAll(
  sets: readonly ColumnSet[],
  name: string | undefined,
  partitions: readonly IndexPartition[],
): boolean {
  const set = sets.find((one) => one.name === name);
  return set !== undefined && partitions.every(({ number }) => set.partitions.includes(number!));
}

/** The values that choose the best rows; null to take the least ids. */
async function valuesOf(index: ComputedIndex, best: string | undefined): Promise<Float64Array | null> {
  if (best === undefined) return null;
  const column = await index.readColumn(best);
  if (column.type === "integer" || column.type === "number") return column.values;
  throw new InputError(`dedup: best: expected a column of numbers, found ${best} (${column.type})`);
}

async function find(
  index: ComputedIndex,
  threshold: number,
  values: Float64Array | null,
  { side = "image", where, onProgress = () => undefined }: DedupOptions,
  journal: PairJournal | null,
): Promise<Omit<DedupReport, "removed" | "hasWritten">> {
  const { compared, groups: components } = await findComponents(index, {
    ...{ threshold, side, onProgress, journal },
    ...(where !== undefined && { where }),
  });
  const groups: DuplicateGroup[] = [];
  for (const ids of components) groups.push(await groupOf(index, ids, side, values));
  const duplicates = groups.reduce((sum, { others }) => sum + others.length, 0);
  return { threshold, compared, groups, duplicates };
}

/** Rows whose vectors are read at once. */
const rowsAtOnce = 1024;

async function groupOf(
  index: ComputedIndex,
  ids: readonly number[],
  side: Side,
  values: Float64Array | null,
): Promise<DuplicateGroup> {
  const valueOf = (id: number): number => {
    const value = values?.[id] ?? 0;
    return Number.isNaN(value) ? -Infinity : value;
  };
  const best = ids.reduce((top, id) => (valueOf(id) > valueOf(top) ? id : top));
  const left = ids.filter((id) => id !== best);
  const others: DuplicateRow[] = [];
  for (let start = 0; start < left.length; start += rowsAtOnce) {
    const some = left.slice(start, start + rowsAtOnce);
    const vectors = await index.readRows([best, ...some], side);
    for (const [i, id] of some.entries())
      others.push({ id, similarity: productOf(vectors, 0, i + 1, index.width) });
  }
  return { best, others: others.sort((a, b) => b.similarity - a.similarity || a.id - b.id) };
}

async function writeGroups(
  index: ComputedIndex,
  name: string,
  { threshold, groups }: Pick<DedupReport, "threshold" | "groups">,
): Promise<void> {
  const numbers = new Float64Array(index.rows);
  const similarities = new Map<number, number>();
  for (const [i, { best, others }] of groups.entries()) {
    numbers[best] = i + 1;
    for (const { id, similarity } of others) {
      numbers[id] = i + 1;
      similarities.set(id, similarity);
    }
  }
  const set: NewColumnSet = {
    name,
    columns: [
      { name, type: "integer" },
      { name: `${name}.keep`, type: "boolean" },
      { name: `${name}.similarity`, type: "number" },
    ],
    description: `groups of near-duplicates from similarity ${threshold} on`,
    settings: ["duplicates", createHash("sha256").update(JSON.stringify(groups)).digest("hex")],
    backend: "none",
  };
  const rowOf = (id: number): MetadataRow => ({
    [name]: numbers[id] === 0 ? null : numbers[id]!,
    [`${name}.keep`]: !similarities.has(id),
    [`${name}.similarity`]: similarities.get(id) ?? null,
  });
  await writeColumnSet(
    index,
    set,
    (partition) => rowsOfPartition(partition, rowOf),
    () => undefined,
  );
}

function* rowsOfPartition(
  { firstId, rows }: IndexPartition,
  rowOf: (id: number) => MetadataRow,
): Generator<MetadataRow[], void, undefined> {
  for (let start = 0; start < rows; start += rowsAtOnce)
    yield Array.from({ length: Math.min(rowsAtOnce, rows - start) }, (_, i) => rowOf(firstId + start + i));
}
