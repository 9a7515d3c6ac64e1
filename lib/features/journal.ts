/**
 * Work in pieces that survive an interruption: a journal keeps each finished piece, and the next run continues.
 *
 * A journal is a text file. Its first line is a JSON object that identifies the format and holds the key of the work.
 * Each further line is a piece: its CRC-32 in hexadecimal, a space, and the piece as JSON. A line that a killed process
 * or a power failure left incomplete or damaged ends the journal: what follows it is done again.
 */
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { crc32 } from "../tensor/crc32.ts";
import type { FileSystem, LineFile } from "./host.ts";

/** What the pieces depend on: title → value. */
export type JournalKey = Readonly<Record<string, string>>;

/** Work that `resume` does piece by piece. */
export interface Work<Piece, Result> {
  /** Checks a piece that the journal keeps, given the one before. @throws InputError if it is not one of this work */
  readonly readPiece: (value: JsonValue, previous: Piece | null) => Piece;
  /** Receives every piece in order: first those of earlier runs, then each new one once it is in the journal. */
  readonly onPiece: (piece: Piece) => void;
  /** Does what is left after the pieces of earlier runs. */
  readonly remaining: () => AsyncIterable<Piece>;
  /** Called when nothing is left, with a function that reads all pieces again. */
  readonly finish: (pieces: () => AsyncIterable<Piece>) => Promise<Result>;
}

/** Marks the first line, with the version of the format. */
const title = "clipscope journal 2";

/**
 * Does work with a journal: continues where an earlier run stopped, keeps each new piece, and deletes the journal at
 * the end. After an error the journal stays, unless it has no pieces.
 *
 * @throws InputError if another process uses the journal, it holds pieces of another key or other pieces, or the file is
 *   not a journal; the file is left unchanged
 */
export async function resume<Piece extends object, Result>(
  files: FileSystem,
  path: string,
  key: JournalKey,
  { readPiece, onPiece, remaining, finish }: Work<Piece, Result>,
): Promise<Result> {
  const file = await files.openLines(path);
  let pieces: number | null = null; // null until the journal is known to belong to this work
  try {
    const found = await readJournal(file, path, key);
    pieces = found.pieces;
    let previous: Piece | null = null;
    for await (const piece of readPieces(file, path, readPiece)) onPiece((previous = piece));
    if (pieces === 0) await file.replace(JSON.stringify({ journal: title, ...key }));
    else await file.truncate(found.end);
    for await (const piece of remaining()) {
      // Those of earlier runs, which another program may have written, must agree with it.
      previous = readPiece(pieceValue(piece, path, pieces + 1), previous);
      await file.append(encodePiece(piece));
      pieces += 1;
      onPiece(piece);
    }
    const result = await finish(() => allPieces(file, path, pieces!, readPiece));
    pieces = 0;
    return result;
  } finally {
    await (pieces === 0 ? file.remove() : file.close());
  }
}

/** How many whole pieces the journal has, and where the last one ends. */
async function readJournal(
  file: LineFile,
  path: string,
  key: JournalKey,
): Promise<{ readonly pieces: number; readonly end: number }> {
  let found: JournalKey | null = null;
  let pieces = 0;
  let end = 0;
  for await (const line of file.lines()) {
    if (found === null) found = decodeKey(path, line);
    else if (decodePiece(line) === null) break;
    else if (pieces++ === 0) assertSameKey(path, key, found);
    end += line.length + 1;
  }
  if (found === null && (await file.size()) > 0) throw notAJournal(path);
  return { pieces, end };
}

/** The pieces up to the first incomplete or damaged line. */
async function* readPieces<Piece>(
  file: LineFile,
  path: string,
  readPiece: Work<Piece, unknown>["readPiece"],
): AsyncGenerator<Piece, void, undefined> {
  let number = -1;
  let previous: Piece | null = null;
  for await (const line of file.lines()) {
    number += 1;
    if (number === 0) continue;
    const piece = decodePiece(line);
    if (piece === null) return;
    previous = readPiece(pieceValue(piece, path, number), previous);
    yield previous;
  }
}

function pieceValue(piece: object, path: string, number: number): JsonValue {
  return JsonValue.of(piece, `${path}: piece ${number}`, {
    fix: "delete the file, and the work begins again",
  });
}

/** All pieces. @throws InputError if their number is not the expected one */
async function* allPieces<Piece>(
  file: LineFile,
  path: string,
  expected: number,
  readPiece: Work<Piece, unknown>["readPiece"],
): AsyncGenerator<Piece, void, undefined> {
  let count = 0;
  for await (const piece of readPieces(file, path, readPiece)) {
    count += 1;
    yield piece;
  }
  if (count === expected) return;
  throw new InputError(
    `${path}: expected ${expected} finished pieces, found ${count}: another program changed the file, or the disk is failing; run the command again`,
  );
}

function encodePiece(piece: object): string {
  const json = JSON.stringify(piece);
  return `${checksum(new TextEncoder().encode(json))} ${json}`;
}

/** The piece in a line; null if the line is damaged. */
function decodePiece(line: Uint8Array): object | null {
  const json = line.subarray(9);
  if (new TextDecoder().decode(line.subarray(0, 9)) !== `${checksum(json)} `) return null;
  try {
    const piece: unknown = JSON.parse(new TextDecoder().decode(json));
    return typeof piece === "object" ? piece : null;
  } catch {
    return null; // a checksum that another program computed
  }
}

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}

function decodeKey(path: string, line: Uint8Array): JournalKey {
  let header: JsonValue;
  try {
    header = JsonValue.parse(line, path);
  } catch {
    throw notAJournal(path);
  }
  const { value } = header;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || (value as { journal?: unknown }).journal !== title) throw notAJournal(path);
  return Object.fromEntries(
    header
      .entries()
      .filter(([name]) => name !== "journal")
      .map(([name, text]) => [name, text.string()]),
  );
}

function notAJournal(path: string): InputError {
  return new InputError(
    `${path}: expected a journal of unfinished work (${title}), found another kind of file; move it away`,
  );
}

function assertSameKey(path: string, key: JournalKey, found: JournalKey): void {
  const titles = new Set([...Object.keys(key), ...Object.keys(found)]);
  const different = [...titles].filter((title) => found[title] !== key[title]);
  if (different.length === 0) return;
  // Long values are digests, which would not help the reader.
  const described = different.map((title) => {
    const values = [found[title] ?? "none", key[title] ?? "none"];
    return values.some((value) => value.length > 40) ? title : `${title}: ${values.join(", now ")}`;
  });
  throw new InputError(
    `${path}: holds unfinished work with other settings (${described.join("; ")}); ` +
      "repeat the command that started it, delete the file, or write to another path",
  );
}
