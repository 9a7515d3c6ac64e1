/** What a query reads of an index. */
import type { Metadata } from "../../features/features.ts";
import type { Column, ColumnInfo, MetadataRow } from "../../retrieval/columns.ts";
import type { Side } from "../../retrieval/layout.ts";
import type { Mask } from "../../retrieval/scan/scan-codes.ts";
import type { Tombstones } from "../../retrieval/tombstones.ts";
import type { VectorFile } from "./vector-file.ts";

/** Consecutive rows of an index, in files of their own. */
export interface IndexPartition {
  /** Names its files; null in a folder of clip-retrieval. */
  readonly number: number | null;
  /** The id of its first row. */
  readonly firstId: number;
  /** At least 1. */
  readonly rows: number;
  /** Null if that side was not embedded. Both have `rows` rows. */
  readonly image: VectorFile | null;
  readonly text: VectorFile | null;
}

/** How the vectors were made, as far as it is known: metadata as of features files. */
export interface IndexOrigin {
  readonly image: Metadata;
  readonly text: Metadata;
  /** Whether it was declared when the vectors were adopted, or is unknown (both are empty then). */
  readonly isDeclared: boolean;
}

/** An index that can be searched. */
export interface SearchedIndex {
  /** The folder as given. */
  readonly path: string;
  readonly width: number;
  readonly partitions: readonly IndexPartition[];
  /** The number of rows, deleted ones included: ids are 0 to this, exclusive. */
  readonly rows: number;
  readonly deleted: Tombstones;
  readonly origin: IndexOrigin;
  readonly columns: readonly ColumnInfo[];
  /** Whether rows have vectors of this side. */
  has(side: Side): boolean;
  /** @returns [ids, width] */
  readRows(ids: ArrayLike<number>, side?: Side): Promise<Float32Array>;
  readMetadata(ids: ArrayLike<number>): Promise<MetadataRow[]>;
  readColumn(name: string): Promise<Column>;
}

/** An index over all of whose rows something is computed. */
export interface ComputedIndex extends SearchedIndex {
  /** Changes when rows get other ids. */
  readonly generation: number;
  /** Whether the folder has an `index.json`: others are read only. */
  readonly isOwn: boolean;
  /** The rows that are neither deleted nor excluded by a condition; null for all. */
  mask(where: string | undefined): Promise<Mask>;
}
