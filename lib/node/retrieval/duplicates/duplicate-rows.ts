/** The rows of groups of near-duplicates, as results that can be written to files. */
import type { ColumnInfo, MetadataRow } from "../../../retrieval/columns.ts";
import type { Found } from "../../../retrieval/result-text.ts";
import { pathOf } from "../query-index.ts";
import type { DedupReport } from "./dedup-index.ts";
import type { ComputedIndex } from "../searched-index.ts";

/** The columns of these rows besides id, path and similarity. */
const own: readonly ColumnInfo[] = [
  { name: "group", type: "integer" },
  { name: "keep", type: "boolean" },
];

/** A column of the index that has one of these names is called "metadata.NAME". */
function nameOf(column: string): string {
  return own.some(({ name }) => name === column) ? `metadata.${column}` : column;
}

/** The columns of `duplicateRows`. */
export function duplicateColumns(columns: readonly ColumnInfo[]): ColumnInfo[] {
  return [...own, ...columns.map(({ name, type }) => ({ name: nameOf(name), type }))];
}

/**
 * The rows, group by group, the best of each first.
 *
 * @param withoutBest leave out the best rows
 */
export async function* duplicateRows(
  index: Pick<ComputedIndex, "readMetadata">,
  { groups }: Pick<DedupReport, "groups">,
  withoutBest: boolean,
): AsyncGenerator<Found, void, undefined> {
  for (const [i, { best, others }] of groups.entries()) {
    const rows = [...(withoutBest ? [] : [{ id: best, similarity: 1 }]), ...others];
    const metadata = await index.readMetadata(rows.map(({ id }) => id));
    for (const [at, { id, similarity }] of rows.entries()) {
      const keep = id === best;
      const cells = Object.entries(metadata[at]!).map(([name, cell]) => [nameOf(name), cell] as const);
      const joined: MetadataRow = { group: i + 1, keep, ...Object.fromEntries(cells) };
      const title = `${i + 1}  ${keep ? "best" : similarity.toFixed(4)}`;
      yield { id, path: pathOf(metadata[at]!), similarity, metadata: joined, title };
    }
  }
}
