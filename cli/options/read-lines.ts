/** Text files from the command line: UTF-8, one entry per line. */
import { constants } from "node:buffer";
import { open } from "node:fs/promises";
import { readWhole, unreadable } from "../../lib/node/files/file-source.ts";
import { InputError } from "../../lib/errors/input-error.ts";

/** The length that a string can have. */
const mostBytes = constants.MAX_STRING_LENGTH;

export type StandardInput = AsyncIterable<Uint8Array | string>;

/**
 * The lines of a file. Lines end at "\n" only: other separators may be part of a text. The last "\n" is ignored.
 *
 * @param path "-" for standard input
 * @throws InputError if the file does not exist, or is not UTF-8 of at most {@link mostBytes}
 */
export async function readLines(path: string, stdin: StandardInput): Promise<string[]> {
  const content = decode(
    path === "-" ? await readAll(stdin, inputName(path)) : await readBytes(path),
    inputName(path),
  );
  return content === "" ? [] : content.replace(/\n$/, "").split("\n");
}

/** The name of a file in messages. */
export function inputName(path: string): string {
  return path === "-" ? "standard input" : path;
}

async function readBytes(path: string): Promise<Uint8Array> {
  // The shell's <(command) is a pipe that has a writer; a named pipe may never get one.
  if (/^\/(dev|proc\/(self|\d+))\/fd\/\d+$|^\/dev\/stdin$/.test(path)) return readDescriptor(path);
  return readWhole(path, mostBytes);
}

async function readDescriptor(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    return await readAll(file.createReadStream(), path);
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
}

async function readAll(stream: StandardInput, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size <= mostBytes) continue;
    throw new InputError(`${name}: expected at most ${mostBytes} bytes, found more`);
  }
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
