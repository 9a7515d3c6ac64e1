/** Parquet files on disk, read by range. */
import {
  parquetMetadataAsync,
  parquetReadObjects,
  parquetScan,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
  type SchemaTree,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { InputError } from "../../errors/input-error.ts";
import type { Cell, ColumnInfo, ColumnType } from "../../retrieval/columns.ts";
import { FileSource } from "../files/file-source.ts";

export interface ParquetFile {
  readonly path: string;
  readonly rows: number;
  readonly metadata: FileMetaData;
  /** The columns that have a value for each row; nested ones as JSON texts. */
  readonly columns: readonly ColumnInfo[];
  /** The first row of each row group, then the number of rows. */
  readonly groups: readonly number[];
}

/** A failure of the file, not of the program. */
async function explained<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path}: not a readable parquet file (${reason})`, [], { cause: error });
  }
}

async function withBuffer<T>(path: string, use: (file: AsyncBuffer) => Promise<T>): Promise<T> {
  const source = await FileSource.open(path);
  try {
    return await explained(path, () =>
      use({
        byteLength: source.size,
        slice: async (start, end = source.size) =>
          (await source.read(start, end - start)).buffer as ArrayBuffer,
      }),
    );
  } finally {
    await source.close();
  }
}

/** Reads the footer. @throws InputError if the file is missing or damaged */
export async function readParquetFile(path: string): Promise<ParquetFile> {
  return withBuffer(path, async (file) => {
    const metadata = await parquetMetadataAsync(file);
    const groups = [0];
    for (const { num_rows: rows } of metadata.row_groups) groups.push(groups.at(-1)! + Number(rows));
    const columns = parquetSchema(metadata).children.map((column) => ({
      name: column.element.name,
      type: typeOf(column),
    }));
    return { path, rows: Number(metadata.num_rows), metadata, columns, groups };
  });
}

const integers = ["INT32", "INT64"];
const numbers = ["FLOAT", "DOUBLE"];

function typeOf({ element, children }: SchemaTree): ColumnType {
  const { type = "", converted_type: converted, logical_type: logical } = element;
  if (children.length > 0) return "text";
  if (type === "BOOLEAN") return "boolean";
  if (numbers.includes(type) || converted === "DECIMAL" || logical?.type === "FLOAT16") return "number";
  const isTime = /^(DATE|TIME)/.test(converted ?? logical?.type ?? "");
  return integers.includes(type) && !isTime ? "integer" : "text";
}

/** Rows from `start` to `end`, exclusive. */
export async function readParquetRows(
  { path, metadata, columns: all }: ParquetFile,
  start: number,
  end: number,
  columns: readonly string[] = all.map(({ name }) => name),
): Promise<Record<string, Cell>[]> {
  return withBuffer(path, async (file) => {
    const rows = await parquetReadObjects({
      file,
      metadata,
      compressors,
      columns: [...columns],
      rowStart: start,
      rowEnd: end,
    });
    return rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toCell(value)])),
    );
  });
}

/** All rows in order; memory holds one row group. */
export async function* readParquetGroups({
  path,
  metadata,
  groups,
  columns,
}: ParquetFile): AsyncGenerator<Map<string, Cell>, void, undefined> {
  for (let group = 0; group + 1 < groups.length; group++) {
    const [rowStart, rowEnd] = [groups[group]!, groups[group + 1]!];
    const values = await withBuffer(path, async (file) => {
      const scan = await parquetScan({ file, metadata, compressors });
      return Promise.all(columns.map(({ name }) => scan.readColumn({ column: name, rowStart, rowEnd })));
    });
    for (let row = 0; row < rowEnd - rowStart; row++)
      yield new Map(columns.map(({ name }, i) => [name, toCell(values[i]![row])]));
  }
}

/** One column of all rows, a row group at a time. */
export async function* readParquetColumn(
  { path, metadata, groups }: ParquetFile,
  column: string,
): AsyncGenerator<ArrayLike<unknown>, void, undefined> {
  for (let group = 0; group + 1 < groups.length; group++) {
    yield await withBuffer(path, async (file) => {
      const scan = await parquetScan({ file, metadata, compressors, columns: [column] });
      return scan.readColumn({ column, rowStart: groups[group]!, rowEnd: groups[group + 1]! });
    });
  }
}

/** A value as hyparquet decodes it. */
export function toCell(value: unknown): Cell {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isNaN(value) ? null : value;
    case "bigint":
      return Number(value);
    case "undefined":
      return null;
    default:
      if (value === null) return null;
      if (value instanceof Date) return value.toISOString();
      return JSON.stringify(value, (_key, inner: unknown) =>
        typeof inner === "bigint" ? Number(inner) : inner,
      );
  }
}
