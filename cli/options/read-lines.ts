/** Text files from the command line: UTF-8, one entry per line. */
import { readFile } from "node:fs/promises";
import { unreadable } from "../../lib/node/files/file-source.ts";
import { InputError } from "../../lib/errors/input-error.ts";

export type StandardInput = AsyncIterable<Uint8Array | string>;

/**
 * The lines of a file. Lines end at "\n" only: other separators may be part of a text. The last "\n" is ignored.
 *
 * @param path "-" for standard input
 * @throws InputError if the file does not exist or is not UTF-8
 */
export async function readLines(path: string, stdin: StandardInput): Promise<string[]> {
  const content = decode(path === "-" ? await readAll(stdin) : await readBytes(path), inputName(path));
  return content === "" ? [] : content.replace(/\n$/, "").split("\n");
}

/** The name of a file in messages. */
export function inputName(path: string): string {
  return path === "-" ? "standard input" : path;
}

function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

async function readAll(stream: StandardInput): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    // A byte order mark belongs to the text, as in Python.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new InputError(`${name}: expected UTF-8 text; re-save the file as UTF-8`, [], { cause: error });
  }
}
