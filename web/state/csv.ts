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
