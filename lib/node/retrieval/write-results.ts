/** Writes results to files whose names tell the format: txt, csv, jsonl, parquet, png. */
import { basename, extname } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { encodePng } from "../../draw/png.ts";
import type { ColumnInfo } from "../../retrieval/columns.ts";
import { csvLine, resultAsJson, resultColumns, type Found } from "../../retrieval/result-text.ts";
import { fileOf } from "../../tasks/image-source.ts";
import { assertOutside, placeFor } from "../files/output-path.ts";
import { reserveOutputs, type Reservation } from "../files/reserve-output.ts";
import { writeTogether, type NewFile } from "../files/write-file.ts";
import { ContactSheet } from "./contact-sheet.ts";
import { imageOfRow } from "./row-image.ts";
import { TableWriter } from "./table-writer.ts";

/** The index that results come from, as far as files need it. */
export interface ResultsOf {
  /** Of its files; null if they are not in a file system. */
  readonly folder: string | null;
  readonly columns: readonly ColumnInfo[];
  readonly base: string | null;
}

/** What takes results one after the other. */
interface ResultsWriter {
  add(found: Found): Promise<void>;
  finish(): Promise<void>;
}

/** Texts of at least this many characters are written at once. */
const chunkSize = 2 ** 16;

class LinesWriter implements ResultsWriter {
  readonly #file: NewFile;
  readonly #line: (found: Found) => string;
  #text: string;

  constructor(file: NewFile, head: string, line: (found: Found) => string) {
    this.#file = file;
    this.#text = head;
    this.#line = line;
  }

  async add(found: Found): Promise<void> {
    this.#text += this.#line(found);
    if (this.#text.length >= chunkSize) await this.finish();
  }

  async finish(): Promise<void> {
    await this.#file.write(new TextEncoder().encode(this.#text));
    this.#text = "";
  }
}

class ParquetWriter implements ResultsWriter {
  readonly #table: TableWriter;

  constructor(file: NewFile, columns: readonly ColumnInfo[]) {
    this.#table = new TableWriter(file, columns);
  }

  add(found: Found): Promise<void> {
    return this.#table.append(resultAsJson(found));
  }

  finish(): Promise<void> {
    return this.#table.finish();
  }
}

class SheetWriter implements ResultsWriter {
  readonly #file: NewFile;
  readonly #sheet: ContactSheet;

  constructor(file: NewFile, base: string | null) {
    this.#file = file;
    this.#sheet = new ContactSheet(base);
  }

  add(found: Found): Promise<void> {
    return this.#sheet.add(found);
  }

  async finish(): Promise<void> {
    await this.#file.write(await encodePng(this.#sheet.draw()));
  }
}

const formats: Readonly<Record<string, (file: NewFile, of: ResultsOf) => ResultsWriter>> = {
  ".txt": (file) => new LinesWriter(file, "", (found) => `${lineOf(found)}\n`),
  ".jsonl": (file) => new LinesWriter(file, "", (found) => `${JSON.stringify(resultAsJson(found))}\n`),
  ".csv": (file, { columns }) => {
    const names = resultColumns(columns).map(({ name }) => name);
    return new LinesWriter(file, csvLine(names), (found) => {
      const json = resultAsJson(found);
      return csvLine(names.map((name) => json[name] ?? null));
    });
  },
  ".parquet": (file, { columns }) => new ParquetWriter(file, resultColumns(columns)),
  ".png": (file, { base }) => new SheetWriter(file, base),
};

/** @throws InputError for a path that would be two lines */
function lineOf({ id, path }: Found): string {
  if (path === null || !/[\r\n]/.test(path)) return path ?? String(id);
  throw new InputError(`row ${id}: its path has a line break; write the results as .jsonl, .csv or .parquet`);
}

/** The endings of files of results. */
export const resultEndings = Object.keys(formats);

/** @throws InputError for a path whose ending names no format */
export function assertResultPath(path: string): void {
  if (Object.hasOwn(formats, extname(path).toLowerCase())) return;
  throw new InputError(`--out ${path}: expected a name that ends in ${resultEndings.join(", ")}`);
}

/**
 * Writes results to files as they come, all files or none.
 *
 * @param inputs files that the query reads, which must not be overwritten
 * @param onFound called for each result
 * @throws InputError if a file cannot be written, is in the index folder, or is one of the inputs or the images found
 */
export async function writeResults(
  results: AsyncIterable<Found>,
  paths: readonly string[],
  of: ResultsOf,
  inputs: readonly string[],
  onFound: (found: Found) => void | Promise<void>,
): Promise<void> {
  for (const path of paths) {
    assertResultPath(path);
    if (of.folder !== null) await assertOutside(path, of.folder);
  }
  const outputs = await reserveOutputs(paths, inputs);
  try {
    await writeTogether(outputs, async (files) => {
      const writers = files.map((file) => formats[extname(file.path).toLowerCase()]!(file, of));
      for await (const found of results) {
        await assertNotFound(outputs, found, of.base);
        for (const writer of writers) await writer.add(found);
        await onFound(found);
      }
      for (const writer of writers) await writer.finish();
    });
  } finally {
    for (const output of outputs) await output.release();
  }
}

/** @throws InputError if an output would replace the image of a result */
async function assertNotFound(
  outputs: readonly Reservation[],
  { metadata }: Found,
  base: string | null,
): Promise<void> {
  const source = imageOfRow(metadata, base ?? ".");
  if (source === null) return;
  const file = fileOf(source);
  // Names first: a look at each image would take longer than the query.
  for (const { path, place } of outputs)
    if (basename(file) === basename(path) || basename(file) === basename(place)) await placeFor(path, [file]);
}
