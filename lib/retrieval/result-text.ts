/** Rows of results as texts: JSON lines, CSV, lists of paths. */
import type { Cell, ColumnInfo, MetadataRow } from "./columns.ts";

/** A row that was found. */
export interface Found {
  readonly id: number;
  /** Of the image, as in the metadata; null if they do not tell. */
  readonly path: string | null;
  /** Dot product with the query, the cosine for vectors of norm 1. */
  readonly similarity: number;
  readonly metadata: MetadataRow;
  /** What a contact sheet writes below the image. Default: the rank and the similarity. */
  readonly title?: string;
}

/** Names that results have of their own, before the columns of the metadata. */
const own: readonly string[] = ["id", "path", "similarity"];

/** The name of a metadata column among results: "metadata.id" if results have a field of this name themselves. */
function nameOf(column: string): string {
  return own.includes(column) ? `metadata.${column}` : column;
}

/** A row as `clipscope query --json` prints it: its own fields, then the metadata that are not null. */
export function resultAsJson({ id, path, similarity, metadata }: Found): Record<string, Cell> {
  const others = Object.entries(metadata).filter(([, value]) => value !== null);
  return {
    id,
    path,
    similarity,
    ...Object.fromEntries(others.map(([name, value]) => [nameOf(name), value])),
  };
}

/** The columns of a table of results. */
export function resultColumns(columns: readonly ColumnInfo[]): ColumnInfo[] {
  return [
    { name: "id", type: "integer" },
    { name: "path", type: "text" },
    { name: "similarity", type: "number" },
    ...columns.map(({ name, type }) => ({ name: nameOf(name), type })),
  ];
}

/** A line of CSV as in RFC 4180; null is an empty field. */
export function csvLine(cells: readonly Cell[]): string {
  const fields = cells.map((cell) => {
    const text = cell === null ? "" : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${fields.join(",")}\r\n`;
}
