/** Rows whose image or shard was indexed again in a new state. */
import { noText, type TextColumn } from "../../retrieval/columns.ts";
import type { PlanEntry } from "../../retrieval/index-file.ts";
import type { OpenedIndex } from "./open-index.ts";
import { readPlan } from "./read-plan.ts";

/**
 * The ids of rows before a plan's partitions that these replace: rows of the same shard, and rows with the same path. A
 * changed image that could not be read replaces nothing.
 */
export async function supersededRows(
  folder: string,
  index: OpenedIndex,
  entry: PlanEntry,
): Promise<number[]> {
  const shards = new Set<string>();
  for (const partition of (await readPlan(folder, entry)).partitions)
    if ("shards" in partition) for (const { path } of partition.shards) shards.add(path);
  const firstNew = index.partitions.find(({ number }) => number !== null && number >= entry.first)?.firstId;
  if (firstNew === undefined) return [];
  const sources = shards.size === 0 ? null : ((await index.readColumn("source")) as TextColumn);
  const paths = (await index.readColumn("image_path")) as TextColumn;
  const isNewPath = new Uint8Array(paths.dictionary.length);
  for (let id = firstNew; id < index.rows; id++) {
    const code = paths.codes[id]!;
    if (code !== noText) isNewPath[code] = 1;
  }
  const isNewSource = sources?.dictionary.map((source) => shards.has(source)) ?? [];
  const found: number[] = [];
  for (let id = 0; id < firstNew; id++) {
    const isReplaced = isNewPath[paths.codes[id]!] === 1 || isNewSource[sources?.codes[id] ?? -1] === true;
    if (isReplaced && !index.deleted.has(id)) found.push(id);
  }
  return found;
}
