/** Work that is kept as it goes: a line for each finished piece, behind one that says whose work it is. */
import { createReadStream } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { unwritable } from "./write-file.ts";

/** What the pieces depend on: title → value. */
export type JournalKey = Readonly<Record<string, string>>;

/**
 * A file of JSON lines. A line that a killed process left half-written does not count.
 */
export class Journal<Piece> {
  readonly path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Opens the journal, or begins one.
   *
   * @throws InputError if the journal there has pieces of another key: what differs, and the way out; it is left as it is
   */
  static async open<Piece>(path: string, key: JournalKey): Promise<Journal<Piece>> {
    const file = await open(path, "a+").catch((error: unknown) => {
      throw unwritable(path, error);
    });
    try {
      let found: JournalKey | null = null;
      let pieces = 0;
      let end = 0;
      for await (const line of completeLines(path)) {
        if (found === null) found = parseKey(path, line);
        else if (pieces++ === 0) assertSameKey(path, key, found);
        end += line.length + 1;
      }
      await file.truncate(pieces === 0 ? 0 : end);
      if (pieces === 0) await file.appendFile(`${JSON.stringify(key)}\n`);
      return new Journal(path, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async add(piece: Piece): Promise<void> {
    await this.#file.appendFile(`${JSON.stringify(piece)}\n`);
  }

  /** The pieces that are there, in their order. */
  async *pieces(): AsyncGenerator<Piece, void, undefined> {
    let number = 0;
    for await (const line of completeLines(this.path)) {
      if (++number === 1) continue;
      const json = JsonValue.parse(line, `${this.path}: line ${number}`, { fix: damaged });
      // This program wrote it: its key is the same.
      yield json.object() as Piece;
    }
  }

  /** Leaves the file for whoever continues. */
  close(): Promise<void> {
    return this.#file.close();
  }

  /** The work is done and stands elsewhere. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.path);
  }
}

const damaged = "this is not a journal of unfinished work, or a damaged one: move it away";

function parseKey(path: string, line: Buffer): JournalKey {
  const json = JsonValue.parse(line, path, { fix: damaged });
  return Object.fromEntries(json.entries().map(([title, value]) => [title, value.string()]));
}

function assertSameKey(path: string, key: JournalKey, found: JournalKey): void {
  const titles = new Set([...Object.keys(key), ...Object.keys(found)]);
  const different = [...titles].filter((title) => found[title] !== key[title]);
  if (different.length === 0) return;
  // Digests say nothing to people.
  const told = different.map((title) => {
    const values = [found[title] ?? "none", key[title] ?? "none"];
    return values.some((value) => value.length > 40) ? title : `${title}: ${values.join(", now ")}`;
  });
  throw new InputError(
    `${path}: holds unfinished work with other settings (${told.join("; ")}); ` +
      "repeat the command that began it, delete the file, or write elsewhere",
  );
}

async function* completeLines(path: string): AsyncGenerator<Buffer, void, undefined> {
  let parts: Buffer[] = [];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]);
      parts = [];
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
  }
}
