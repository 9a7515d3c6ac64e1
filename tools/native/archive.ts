/** Reads the archive of TensorFlow's C library, libtensorflow-….tar.gz, from a file or a URL. */
import { createReadStream, existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";

import { extract } from "tar";

import { InputError } from "../../lib/errors/input-error.ts";

/**
 * Unpacks an archive, a file or an http(s) URL, into a folder.
 *
 * @param strip number of leading folders to remove from every path
 * @throws InputError if it cannot be fetched, or is not a complete .tar.gz file
 */
export async function extractArchive(
  source: string,
  folder: string,
  wanted: (path: string) => boolean = () => true,
  strip = 0,
): Promise<void> {
  const stream = await openSource(source);
  await mkdir(folder, { recursive: true });
  try {
    await pipeline(stream, extract({ cwd: folder, strict: true, strip, filter: (path) => wanted(path) }));
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code === "ENOSPC" || code === "EACCES") throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${source} is not a complete .tar.gz file (${reason}); download it again`, [], {
      cause: error,
    });
  }
}

async function openSource(source: string): Promise<Readable> {
  if (!/^https?:\/\//.test(source)) {
    if (!existsSync(source)) throw new InputError(`${source} does not exist; expected an archive (.tar.gz)`);
    return createReadStream(source);
  }
  const instead = "download it by other means and use --archive FILE";
  let response: Response;
  try {
    response = await fetch(source);
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new InputError(`${source} could not be fetched (${cause}); ${instead}`, [], { cause: error });
  }
  if (!response.ok || response.body === null) {
    throw new InputError(`${source} could not be fetched (status ${response.status}); ${instead}`);
  }
  // fetch's type is the browser's ReadableStream, not Node's, although the class is the same.
  return Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
}
