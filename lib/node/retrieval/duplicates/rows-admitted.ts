/** The rows of an index that are worked on. */
import { InputError } from "../../../errors/input-error.ts";
import type { Side } from "../../../retrieval/layout.ts";
import type { ComputedIndex } from "../searched-index.ts";

/**
 * The rows that have vectors of a side, are not deleted, and fulfil a condition.
 *
 * @returns ids, ascending
 * @throws InputError for a condition that is not one, and an index without such vectors
 */
export async function rowsAdmitted(
  index: ComputedIndex,
  side: Side,
  where: string | undefined,
): Promise<Float64Array> {
  if (!index.has(side)) throw new InputError(`${index.path}: has no vectors of ${side}s`);
  const mask = await index.mask(where);
  const ids = new Float64Array(index.rows);
  let count = 0;
  for (const { firstId, rows, ...partition } of index.partitions) {
    if (partition[side] === null) continue;
    for (let id = firstId; id < firstId + rows; id++)
      if (mask === null || ((mask[Math.floor(id / 8)] ?? 0) & (1 << (id % 8))) !== 0) ids[count++] = id;
  }
  return ids.slice(0, count);
}
