/**
 * Work in pieces that survive an interruption: a journal keeps each finished piece, and the next run continues.
 *
 * A journal is a file of JSON lines: first a key, which tells whose work it is, then one line for each piece. A line
 * that a killed process left incomplete does not count.
 */
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import type { FileSystem, LineFile } from "./host.ts";

/** What the pieces depend on: title → value. */
export type JournalKey = Readonly<Record<string, string>>;

/** Work that `resume` does piece by piece. */
export interface Work<Piece, Result> {
  /** Receives every piece in order: first those of earlier runs, then each new one once it is in the journal. */
  readonly onPiece: (piece: Piece) => void;
  /** Does what is left after the pieces of earlier runs. */
  readonly remaining: () => AsyncIterable<Piece>;
  /** Called when nothing is left, with a function that reads all pieces again. */
  readonly finish: (pieces: () => AsyncIterable<Piece>) => Promise<Result>;
}

/**
 * Does work with a journal: continues where an earlier run stopped, keeps each new piece, and deletes the journal at
 * the end. After an error the journal stays, unless it has no pieces.
 *
 * @throws InputError if the journal holds pieces of another key; the file is left unchanged
 */
export async function resume<Piece extends object, Result>(
  files: FileSystem,
  path: string,
  key: JournalKey,
  { onPiece, remaining, finish }: Work<Piece, Result>,
): Promise<Result> {
  const file = await files.openLines(path);
  let isKept = true;
  try {
    const { pieces, end } = await countPieces(file, path, key);
    isKept = pieces > 0;
    await file.truncate(end);
    if (pieces === 0) await file.append(JSON.stringify(key));
    for await (const piece of readPieces<Piece>(file, path)) onPiece(piece);
    for await (const piece of remaining()) {
      await file.append(JSON.stringify(piece));
      isKept = true;
      onPiece(piece);
    }
    const result = await finish(() => readPieces<Piece>(file, path));
    isKept = false;
    return result;
  } finally {
    await (isKept ? file.close() : file.remove());
  }
}

/** How many pieces the journal has, and where the last one ends; a journal without pieces counts as empty. */
async function countPieces(
  file: LineFile,
  path: string,
  key: JournalKey,
): Promise<{ readonly pieces: number; readonly end: number }> {
  let found: JournalKey | null = null;
  let pieces = 0;
  let end = 0;
  for await (const line of file.lines()) {
    if (found === null) found = parseKey(path, line);
    else if (pieces++ === 0) assertSameKey(path, key, found);
    end += line.length + 1;
  }
  return { pieces, end: pieces === 0 ? 0 : end };
}

async function* readPieces<Piece extends object>(
  file: LineFile,
  path: string,
): AsyncGenerator<Piece, void, undefined> {
  let number = 0;
  for await (const line of file.lines()) {
    if (++number === 1) continue;
    // Only the outer type is checked: the key shows that this program wrote the journal.
    yield JsonValue.parse(line, `${path}: line ${number}`, { fix }).object() as Piece;
  }
}

const fix = "the file is damaged or not a journal of unfinished work; move it away";

function parseKey(path: string, line: Uint8Array): JournalKey {
  const entries = JsonValue.parse(line, path, { fix }).entries();
  return Object.fromEntries(entries.map(([title, value]) => [title, value.string()]));
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
      "repeat the command that began it, delete the file, or write to another place",
  );
}
