/** Lists of images with captions and other columns: text, CSV, TSV, JSON lines, parquet. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import type { Cell } from "../../retrieval/columns.ts";
import { parseField } from "../../retrieval/column-types.ts";
import { flatten } from "../../retrieval/flatten.ts";
import { csvRows } from "../../train/csv.ts";
import { FileSource, unreadable } from "../files/file-source.ts";
import { readParquetFile, readParquetGroups } from "./parquet-file.ts";
import type { ListFormat } from "./sources.ts";

/** A row of a list. */
export interface ListRow {
  readonly path: string;
  /** The other columns, `caption` and `url` under these names. */
  readonly cells: Map<string, Cell>;
}

export interface ListOptions {
  /** The column with the paths. Default: the first of {@link pathColumns} that the list has. */
  readonly pathColumn?: string;
  /** The column with the captions. Default: the first of {@link captionColumns} that the list has, if any. */
  readonly captionColumn?: string;
}

export const pathColumns = ["image_path", "path", "filepath", "file", "filename", "image"];
export const captionColumns = ["caption", "text", "TEXT"];
const urlColumns = ["url", "URL"];

/**
 * The rows of a list.
 *
 * @throws InputError if it cannot be read, lacks a column, or a row has no path
 */
export async function* listRows(
  path: string,
  format: ListFormat,
  options: ListOptions,
): AsyncGenerator<ListRow, void, undefined> {
  let names: ListColumns | null = null;
  let number = 0;
  for await (const cells of rawRows(path, format)) {
    number += 1;
    names ??= columnsOf(path, [...cells.keys()], options);
    const image = cells.get(names.path);
    if (typeof image !== "string" || image === "") {
      throw new InputError(
        `${path}: row ${number}: expected the path of an image in the column ${JSON.stringify(names.path)}, found ${JSON.stringify(image ?? null)}`,
      );
    }
    cells.delete(names.path);
    rename(cells, names.caption, "caption");
    rename(cells, names.url, "url");
    yield { path: image, cells };
  }
  if (number === 0) throw new InputError(`${path}: expected at least one image, found an empty list`);
}

function rename(cells: Map<string, Cell>, from: string | undefined, to: string): void {
  if (from === undefined || from === to) return;
  cells.set(to, cells.get(from) ?? null);
  cells.delete(from);
}

interface ListColumns {
  readonly path: string;
  readonly caption: string | undefined;
  readonly url: string | undefined;
}

function columnsOf(path: string, names: readonly string[], options: ListOptions): ListColumns {
  const { pathColumn, captionColumn } = options;
  const chosen = (given: string | undefined, usual: readonly string[]): string | undefined =>
    given ?? usual.find((name) => names.includes(name));
  const missing = (option: string): InputError =>
    new InputError(`${path}: no column of image paths; name it with ${option}`, names);
  const image = chosen(pathColumn, pathColumns);
  if (image === undefined) throw missing("--path-column");
  for (const [option, given] of [
    ["--path-column", pathColumn],
    ["--caption-column", captionColumn],
  ] as const) {
    if (given === undefined || names.includes(given)) continue;
    throw new InputError(`${path}: ${option} ${given}: no such column; choose one of these`, names);
  }
  return { path: image, caption: chosen(captionColumn, captionColumns), url: chosen(undefined, urlColumns) };
}

/** The cells of each row by the list's own names. */
async function* rawRows(
  path: string,
  format: ListFormat,
): AsyncGenerator<Map<string, Cell>, void, undefined> {
  if (format === ".parquet") {
    yield* readParquetGroups(await readParquetFile(path));
    return;
  }
  // For its errors: a stream of a folder or a pipe would give others, or none.
  await (await FileSource.open(path)).close();
  try {
    if (format === ".csv" || format === ".tsv") yield* tableRows(path, format === ".csv" ? "," : "\t");
    else yield* lineRows(path, format);
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
}

async function* tableRows(
  path: string,
  separator: string,
): AsyncGenerator<Map<string, Cell>, void, undefined> {
  let titles: string[] | null = null;
  let number = 0;
  const text = createReadStream(path, { encoding: "utf8" });
  for await (const row of csvRows(text as AsyncIterable<string>, separator)) {
    number += 1;
    if (titles === null) {
      titles = row.map((title, i) => (i === 0 ? title.replace(/^\uFEFF/, "") : title));
      continue;
    }
    const { length } = titles;
    if (row.length !== length) {
      throw new InputError(`${path}: row ${number}: expected ${length} fields, found ${row.length}`);
    }
    yield new Map(titles.map((title, i) => [title, cellOf(title, row[i]!)]));
  }
}

/** Paths and captions stay texts: a file may be named 7. */
function cellOf(title: string, field: string): Cell {
  return [...pathColumns, ...captionColumns, ...urlColumns].includes(title) ? field : parseField(field);
}

async function* lineRows(
  path: string,
  format: ".txt" | ".jsonl",
): AsyncGenerator<Map<string, Cell>, void, undefined> {
  const lines = createInterface({
    input: createReadStream(path, { encoding: "utf8" }),
    crlfDelay: Infinity,
  });
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line === "") continue;
    if (format === ".txt") yield new Map([["path", line]]);
    else {
      const document = JsonValue.parse(line, `${path}: line ${number}`);
      yield flatten(document.object());
    }
  }
}
