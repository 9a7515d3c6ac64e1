/** The numbers of a map that are shown as a table. */
import { signal } from "@preact/signals";
import type { Matrix } from "../../lib/trace/tap-summary.ts";

/** Larger maps are saved as CSV. */
export const mostCells = 512;

export interface ShownTable {
  readonly title: string;
  readonly matrix: Matrix;
  readonly rowNames: readonly string[] | undefined;
  readonly columnNames: readonly string[] | undefined;
}

export const shownTable = signal<ShownTable | null>(null);
