/** Infers the types of columns from the values of a source. */
import { ownColumns, restColumn, type Cell, type ColumnInfo, type ColumnType } from "./columns.ts";

/** Columns that a source may add, at most. */
const mostColumns = 500;

export class ColumnTypes {
  /** Null until a value is seen that is not null. */
  readonly #types = new Map<string, ColumnType | null>();

  /** Takes a row's cells into account. */
  add(cells: Iterable<readonly [name: string, cell: Cell]>): void {
    for (const [name, cell] of cells) this.declare(name, typeOf(cell));
  }

  /** Takes a column of a known type into account. */
  declare(name: string, type: ColumnType | null): void {
    const known = this.#types.get(name);
    if (known === undefined && this.#types.size >= mostColumns) return;
    this.#types.set(name, known == null ? type : type === null ? known : both(known, type));
  }

  /** The index's own columns, the source's in the order of their first row, and `rest`. */
  columns(): ColumnInfo[] {
    const own = new Set([...ownColumns, restColumn].map(({ name }) => name));
    const others = [...this.#types].filter(([name]) => !own.has(name));
    return [...ownColumns, ...others.map(([name, type]) => ({ name, type: type ?? "text" })), restColumn];
  }
}

function typeOf(cell: Cell): ColumnType | null {
  if (cell === null) return null;
  if (typeof cell === "string") return "text";
  if (typeof cell === "boolean") return "boolean";
  return Number.isSafeInteger(cell) ? "integer" : "number";
}

function both(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  const isNumeric = (type: ColumnType): boolean => type === "integer" || type === "number";
  return isNumeric(a) && isNumeric(b) ? "number" : "text";
}

/** A field of a table of texts: a number, true or false if it is written like one; empty is null. */
export function parseField(field: string): Cell {
  if (field === "") return null;
  if (field === "true" || field === "false") return field === "true";
  // Not 007, which is a name.
  const isNumber = /^-?(0|[1-9]\d{0,14})(\.\d+)?(e[+-]?\d{1,3})?$/i.test(field);
  return isNumber ? Number(field) : field;
}
