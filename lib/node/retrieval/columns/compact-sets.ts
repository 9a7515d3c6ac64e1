/** Carries computed columns over into the partitions of a compaction. */
import { join } from "node:path";
import type { ColumnSet } from "../../../retrieval/column-sets.ts";
import { metadataPath } from "../../../retrieval/layout.ts";
import { nodeHost } from "../../host.ts";
import { readParquetFile, readParquetRows } from "../parquet-file.ts";
import { PartitionWriter } from "../partition-writer.ts";
import type { ComputedIndex, IndexPartition } from "../searched-index.ts";
import { rowsPerGroup } from "../table-writer.ts";

/**
 * Writes the columns of a new partition: those of the rows that are not deleted, in their order.
 *
 * @param group the partitions that are joined
 * @param generation the new one
 * @returns whether the new partition has the set: none of the group may have it
 */
export async function compactSet(
  index: ComputedIndex,
  { folder, columns, partitions, recipe }: ColumnSet,
  group: readonly IndexPartition[],
  number: number,
  generation: number,
): Promise<boolean> {
  if (!group.some((partition) => partitions.includes(partition.number!))) return false;
  const place = join(index.path, folder);
  const writer = await PartitionWriter.create({
    ...{ folder: place, number, width: index.width, sides: [], columns },
  });
  try {
    for (const { number: from, firstId, rows } of group) {
      const isLive = (row: number): boolean => !index.deleted.has(firstId + row);
      if (!partitions.includes(from!)) {
        for (let row = 0; row < rows; row++) if (isLive(row)) await writer.append({});
        continue;
      }
      const file = await readParquetFile(join(place, metadataPath(from!)));
      for (let start = 0; start < rows; start += rowsPerGroup) {
        const some = await readParquetRows(file, start, Math.min(start + rowsPerGroup, rows));
        for (const [i, row] of some.entries()) if (isLive(start + i)) await writer.append(row);
      }
    }
    const plan = `${recipe}:${generation}`;
    await writer.commit({ plan, backend: "none", madeBy: nodeHost.madeBy, seconds: 0 });
  } finally {
    await writer.discard();
  }
  return true;
}
