/** A matrix as CSV. */
import type { Matrix } from "../../lib/trace/tap-summary.ts";

/** A line per row, without a header. */
export function csvOf({ rows, columns, values }: Matrix): string {
  return Array.from(
    { length: rows },
    (_, row) =>
      `${Array.from({ length: columns }, (_, column) => values[row * columns + column]).join(",")}\n`,
  ).join("");
}

/** A table as CSV, with a header. Texts are quoted where they have to be (RFC 4180). */
export function csvTable(
  head: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  const field = (value: string | number | null): string => {
    const text = value === null ? "" : `${value}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [head, ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");
}
