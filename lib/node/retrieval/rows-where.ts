/** The rows of an index that match a condition on their metadata. */
import { RowFilter } from "./row-filter.ts";
import type { SearchedIndex } from "./searched-index.ts";

/** @returns their ids, ascending @throws InputError for a condition that is not one, or an unknown column */
export async function rowsWhere(index: SearchedIndex, condition: string): Promise<number[]> {
  const bits = await new RowFilter(index).matching(condition);
  const ids: number[] = [];
  for (let id = 0; id < index.rows; id++) if ((bits[id >> 3]! & (1 << (id & 7))) !== 0) ids.push(id);
  return ids;
}
