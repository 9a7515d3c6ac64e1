/** The metadata of an index and the columns that were computed for it, as one table. */
import type { Column, ColumnInfo, MetadataRow } from "../../retrieval/columns.ts";
import { noColumn, type MetadataTable } from "./metadata-table.ts";

export class JoinedTable {
  readonly columns: readonly ColumnInfo[];
  readonly #tables: readonly MetadataTable[];

  /** @param tables of the same partitions, without columns of the same name; the first has the metadata */
  constructor(tables: readonly [MetadataTable, ...MetadataTable[]]) {
    this.#tables = tables;
    this.columns = tables.flatMap((table) => table.columns);
  }

  /** Rows of one partition, in the order given. */
  async rows(part: number, rows: readonly number[]): Promise<MetadataRow[]> {
    const [first, ...others] = await Promise.all(this.#tables.map((table) => table.rows(part, rows)));
    if (others.length === 0) return first!;
    return first!.map((row, i) => others.reduce((joined, other) => ({ ...joined, ...other[i] }), row));
  }

  /** A column of all rows. @throws InputError for an unknown column; its details list the known ones */
  async column(name: string): Promise<Column> {
    const owner = this.#tables.find((table) => table.columns.some((column) => column.name === name));
    if (owner === undefined) throw noColumn(name, this.columns);
    return owner.column(name);
  }
}
