/** JSON documents of samples as cells of columns. */
import { ownColumns, restColumn, type Cell, type ColumnInfo, type MetadataRow } from "./columns.ts";

/** A value of a source, before its column's type is known. */
export type RawRow = ReadonlyMap<string, Cell>;

/**
 * The leaves of a document by their paths with dots, as pandas.json_normalize names them. Lists become JSON texts.
 *
 * Source: clip_retrieval/clip_inference/writer.py.
 */
export function flatten(document: unknown): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  const visit = (value: unknown, path: string, depth: number): void => {
    if (typeof value === "object" && value !== null && !Array.isArray(value) && depth < 8) {
      for (const [key, inner] of Object.entries(value))
        visit(inner, path === "" ? key : `${path}.${key}`, depth + 1);
    } else if (path !== "") cells.set(path, leaf(value));
  };
  visit(document, "", 0);
  return cells;
}

function leaf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return JSON.stringify(value);
}

/** Columns of the own ones that sources fill. */
const fillable = ["caption", "url"];
const own = new Set(ownColumns.map(({ name }) => name));

/**
 * A row with the cells that its columns hold. Cells without a column, or of another type than their column's, go to the
 * column `rest` as JSON, so that nothing is lost.
 *
 * @param fixed the index's own columns
 */
export function fitRow(
  fixed: MetadataRow,
  cells: RawRow,
  types: ReadonlyMap<string, ColumnInfo["type"]>,
): MetadataRow {
  const row: Record<string, Cell> = { ...fixed };
  const rest: Record<string, Cell> = {};
  for (const [name, cell] of cells) {
    if (cell === null) continue;
    if (own.has(name)) {
      // The sample's own caption file, or the list's column, comes first.
      if (fillable.includes(name)) row[name] ??= String(cell);
      continue;
    }
    const type = types.get(name);
    const fitting = type === undefined ? undefined : fit(cell, type);
    if (fitting === undefined) rest[name] = cell;
    else row[name] = fitting;
  }
  if (Object.keys(rest).length > 0) row[restColumn.name] = JSON.stringify(rest);
  return row;
}

/** The cell in a column's type; undefined if it does not fit. */
function fit(cell: Cell, type: ColumnInfo["type"]): Cell | undefined {
  switch (type) {
    case "text":
      return String(cell);
    case "boolean":
      return typeof cell === "boolean" ? cell : undefined;
    case "integer":
      return Number.isSafeInteger(cell) ? cell : undefined;
    case "number":
      return typeof cell === "number" ? cell : undefined;
  }
}
