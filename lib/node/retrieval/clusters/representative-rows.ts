/** The representatives of clusters, as results that can be written to files. */
import type { ColumnInfo, MetadataRow } from "../../../retrieval/columns.ts";
import type { Found } from "../../../retrieval/result-text.ts";
import { pathOf } from "../query-index.ts";
import type { ClusterReport } from "./cluster-index.ts";
import type { ComputedIndex } from "../searched-index.ts";

/** The columns of these rows besides id, path and similarity. */
const own: readonly ColumnInfo[] = [
  { name: "cluster", type: "integer" },
  { name: "rows", type: "integer" },
  { name: "label", type: "text" },
];

/** A column of the index that has one of these names is called "metadata.NAME". */
function nameOf(column: string): string {
  return own.some(({ name }) => name === column) ? `metadata.${column}` : column;
}

/** The columns of `representativeRows`. */
export function representativeColumns(columns: readonly ColumnInfo[]): ColumnInfo[] {
  return [...own, ...columns.map(({ name, type }) => ({ name: nameOf(name), type }))];
}

/** The rows nearest to the centroids, cluster by cluster, with their similarity to it. */
export async function* representativeRows(
  index: Pick<ComputedIndex, "readMetadata">,
  { clusters }: Pick<ClusterReport, "clusters">,
): AsyncGenerator<Found, void, undefined> {
  for (const { number, rows, label, representatives } of clusters) {
    const metadata = await index.readMetadata(representatives.map(({ id }) => id));
    for (const [at, { id, score }] of representatives.entries()) {
      const cells = Object.entries(metadata[at]!).map(([name, cell]) => [nameOf(name), cell] as const);
      const joined: MetadataRow = { cluster: number, rows, label, ...Object.fromEntries(cells) };
      const title = label === null ? `cluster ${number}  ${score.toFixed(3)}` : `${number} ${label}`;
      yield { id, path: pathOf(metadata[at]!), similarity: score, metadata: joined, title };
    }
  }
}
