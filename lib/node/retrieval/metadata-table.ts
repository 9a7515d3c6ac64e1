/** The metadata of an index: rows by id, and whole columns. */
import { InputError } from "../../errors/input-error.ts";
import {
  noBoolean,
  noText,
  type Cell,
  type Column,
  type ColumnInfo,
  type MetadataRow,
} from "../../retrieval/columns.ts";
import {
  readParquetColumn,
  readParquetFile,
  readParquetRows,
  toCell,
  type ParquetFile,
} from "./parquet-file.ts";

/** A partition's part of the table. */
export interface MetadataPart {
  /** Null if the partition has no metadata. */
  readonly path: string | null;
  readonly rows: number;
}

/** Row groups that stay decoded. With 5,000 rows and ten columns each takes a few MB. */
const keptGroups = 16;

/** Larger row groups, which other programs write, are not kept. */
const largestKeptGroup = 20_000;

export class MetadataTable {
  readonly columns: readonly ColumnInfo[];
  readonly #parts: readonly MetadataPart[];
  readonly #files = new Map<number, Promise<ParquetFile>>();
  /** Decoded row groups by "part:group", the most recently used last. */
  readonly #groups = new Map<string, Promise<readonly MetadataRow[]>>();

  constructor(columns: readonly ColumnInfo[], parts: readonly MetadataPart[]) {
    this.columns = columns;
    this.#parts = parts;
  }

  /** @throws InputError if the file is damaged or has another number of rows */
  #file(part: number): Promise<ParquetFile> {
    let file = this.#files.get(part);
    if (file === undefined) {
      file = this.#open(part);
      this.#files.set(part, file);
    }
    return file;
  }

  async #open(part: number): Promise<ParquetFile> {
    const { path, rows } = this.#parts[part]!;
    const file = await readParquetFile(path!);
    if (file.rows === rows) return file;
    throw new InputError(
      `${path}: expected ${rows} rows as in the vectors of the same partition, found ${file.rows}`,
    );
  }

  /** The metadata of rows of one partition, in the order given. */
  async rows(part: number, rows: readonly number[]): Promise<MetadataRow[]> {
    if (this.#parts[part]!.path === null) return rows.map(() => ({}));
    const { groups } = await this.#file(part);
    const found: MetadataRow[] = [];
    for (const row of rows) {
      let group = 0;
      while (groups[group + 1]! <= row) group += 1;
      found.push((await this.#group(part, group, row))!);
    }
    return found;
  }

  async #group(part: number, group: number, row: number): Promise<MetadataRow | undefined> {
    const file = await this.#file(part);
    const [start, end] = [file.groups[group]!, file.groups[group + 1]!];
    if (end - start > largestKeptGroup) return (await readParquetRows(file, row, row + 1))[0];
    const key = `${part}:${group}`;
    const decoded = this.#groups.get(key) ?? readParquetRows(file, start, end);
    this.#groups.delete(key);
    this.#groups.set(key, decoded);
    if (this.#groups.size > keptGroups) this.#groups.delete(this.#groups.keys().next().value!);
    return (await decoded)[row - start];
  }

  /**
   * A column of all rows.
   *
   * @throws InputError for an unknown column; its details list the known ones
   */
  async column(name: string): Promise<Column> {
    const info = this.columns.find((column) => column.name === name);
    if (info === undefined) throw noColumn(name, this.columns);
    const rows = this.#parts.reduce((sum, part) => sum + part.rows, 0);
    const builder = columnBuilder(info, rows);
    let at = 0;
    for (const [i, { path, rows: count }] of this.#parts.entries()) {
      const end = at + count;
      const file = path === null ? null : await this.#file(i);
      if (file?.columns.some((column) => column.name === name) === true) {
        for await (const values of readParquetColumn(file, name)) {
          for (let v = 0; v < values.length; v++) builder.set(at++, toCell(values[v]));
        }
      }
      while (at < end) builder.set(at++, null);
    }
    return builder.column;
  }
}

/** The error for an unknown column. */
export function noColumn(name: string, known: readonly ColumnInfo[]): InputError {
  const names = known.map((column) => `${column.name} (${column.type})`);
  return new InputError(`no column "${name}" in the metadata; choose one of these`, names);
}

interface ColumnBuilder {
  readonly column: Column;
  readonly set: (row: number, cell: Cell) => void;
}

function columnBuilder({ type }: ColumnInfo, rows: number): ColumnBuilder {
  if (type === "text") {
    const dictionary: string[] = [];
    const codes = new Uint32Array(rows);
    const places = new Map<string, number>();
    const codeOf = (text: string): number => {
      let code = places.get(text);
      if (code === undefined) {
        code = dictionary.push(text) - 1;
        places.set(text, code);
      }
      return code;
    };
    return {
      column: { type, dictionary, codes },
      set: (row, cell) => {
        codes[row] = cell === null ? noText : codeOf(String(cell));
      },
    };
  }
  if (type === "boolean") {
    const values = new Uint8Array(rows);
    return {
      column: { type, values },
      set: (row, cell) => {
        values[row] = cell === null ? noBoolean : Number(cell);
      },
    };
  }
  const values = new Float64Array(rows);
  return {
    column: { type, values },
    set: (row, cell) => {
      values[row] = cell === null ? NaN : Number(cell);
    },
  };
}
