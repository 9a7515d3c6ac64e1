/** The metadata columns of an index: what a row tells besides its vectors. */
import type { JsonValue } from "../json/json-value.ts";

/** Types of columns; each is null where a row lacks the value. */
export const columnTypes = ["text", "integer", "number", "boolean"] as const;
/** The type of a column. */
export type ColumnType = (typeof columnTypes)[number];

/** A column's name and type. */
export interface ColumnInfo {
  readonly name: string;
  readonly type: ColumnType;
}

/** A value of a column. Integers beyond 2^53 are rounded. */
export type Cell = string | number | boolean | null;

/** A row's values by their columns. */
export type MetadataRow = Readonly<Record<string, Cell>>;

/** One column of all rows of an index, decoded for filters. */
export type Column = NumberColumn | TextColumn | BooleanColumn;

/** A column of numbers. */
export interface NumberColumn {
  readonly type: "integer" | "number";
  /** Null is NaN. */
  readonly values: Float64Array;
}

/** A column of texts, each stored once. */
export interface TextColumn {
  readonly type: "text";
  /** The distinct texts, in order of their first row. */
  readonly dictionary: readonly string[];
  /** The place of each row's text in the dictionary; null is {@link noText}. */
  readonly codes: Uint32Array;
}

/** A column of true and false. */
export interface BooleanColumn {
  readonly type: "boolean";
  /** 1 true, 0 false, 2 null */
  readonly values: Uint8Array;
}

/** The code of a row without a text. */
export const noText = 0xffffffff;
/** The value of a row that is neither true nor false. */
export const noBoolean = 2;

/** The columns that every index has, before those of its sources. */
export const ownColumns: readonly ColumnInfo[] = [
  { name: "image_path", type: "text" },
  { name: "caption", type: "text" },
  { name: "url", type: "text" },
  { name: "key", type: "text" },
  { name: "source", type: "text" },
  { name: "offset", type: "integer" },
  { name: "bytes", type: "integer" },
  { name: "mtime", type: "integer" },
];

/** The column for values of a sample that have no column of their own, or do not have its type: JSON. */
export const restColumn: ColumnInfo = { name: "rest", type: "text" };

/** @throws InputError for a list that does not have this form */
export function parseColumns(value: JsonValue): ColumnInfo[] {
  return value.items().map((item) => ({
    name: item.at("name").string(),
    type: item.at("type").oneOf(...columnTypes),
  }));
}
