/** The rows of an index that match a condition on their metadata. */
import type { Column } from "../../retrieval/columns.ts";
import { columnsIn, parseWhere } from "../../retrieval/where/expression.ts";
import { matchingRows } from "../../retrieval/where/matching-rows.ts";
import type { OpenedIndex } from "./open-index.ts";

/** @returns 1 for each row that matches, else 0 @throws InputError for a condition that is not one, or an unknown column */
export async function rowsWhere(index: OpenedIndex, where: string): Promise<Uint8Array> {
  const expression = parseWhere(where);
  const columns = new Map<string, Column>();
  for (const name of columnsIn(expression)) columns.set(name, await index.readColumn(name));
  return matchingRows(expression, columns, index.rows);
}
