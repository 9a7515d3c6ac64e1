/** The rows of an index that match a condition on their metadata. */
import type { Column } from "../../retrieval/columns.ts";
import { columnsOf, evaluateWhere } from "../../retrieval/where/evaluate-where.ts";
import { parseWhere } from "../../retrieval/where/parse-where.ts";
import type { OpenedIndex } from "./open-index.ts";

/** @returns their ids, ascending @throws InputError for a condition that is not one, or an unknown column */
export async function rowsWhere(index: OpenedIndex, condition: string): Promise<number[]> {
  const where = parseWhere(condition);
  const columns = new Map<string, Column>();
  for (const { name } of columnsOf(where)) columns.set(name, await index.readColumn(name));
  const bits = evaluateWhere(where, condition, columns, index.rows);
  const ids: number[] = [];
  for (let id = 0; id < index.rows; id++) if ((bits[id >> 3]! & (1 << (id & 7))) !== 0) ids.push(id);
  return ids;
}
