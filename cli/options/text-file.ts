/** Text files that people hand in: UTF-8, and nothing is guessed. */
import { readFile } from "node:fs/promises";
import { unreadable } from "../../lib/node/files/file-source.ts";
import { InputError } from "../../lib/errors/input-error.ts";

/**
 * The lines of a file. Lines end at "\n" alone, for other separators may be part of a text; the last "\n" is ignored.
 *
 * @param path "-" reads `stdin`, where there is one
 * @throws InputError if there is no such file, or it is not UTF-8
 */
export async function readLines(path: string, stdin?: AsyncIterable<Uint8Array | string>): Promise<string[]> {
  const bytes = path === "-" && stdin !== undefined ? await readAll(stdin) : await readBytes(path);
  const content = decode(bytes, path);
  return content === "" ? [] : content.replace(/\n$/, "").split("\n");
}

function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    // A byte order mark is a part of the text, as for Python.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new InputError(`${path}: expected text in UTF-8; save or convert it as that`, [], { cause: error });
  }
}
