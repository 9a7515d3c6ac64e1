/** Unpacks members of a Python wheel, which is a zip file. */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";

import yauzl from "yauzl";

import { InputError } from "../../lib/errors/input-error.ts";
import { crc32 } from "../../lib/node/files/crc32.ts";

/** Where to unpack a member; undefined to skip it. */
export type Place = (member: string) => string | undefined;

/**
 * Streams members of a zip file to the disk.
 *
 * @param onBytes called with the number of bytes written since the last call
 * @returns the members that were unpacked
 * @throws InputError if the file is not a complete zip file
 */
export async function extractZip(
  path: string,
  place: Place,
  onBytes: (count: number) => void = () => undefined,
): Promise<string[]> {
  const taken: string[] = [];
  try {
    const zip = await yauzl.openPromise(path, { autoClose: false });
    try {
      for await (const entry of zip.eachEntry()) {
        const target = entry.fileName.endsWith("/") ? undefined : place(entry.fileName);
        if (target === undefined) continue;
        await mkdir(dirname(target), { recursive: true });
        const stream = await zip.openReadStreamPromise(entry);
        // yauzl does not verify checksums.
        let crc = 0;
        stream.on("data", (chunk: Buffer) => {
          crc = crc32(chunk, crc);
          onBytes(chunk.length);
        });
        await pipeline(stream, createWriteStream(target));
        if (crc !== entry.crc32) throw new Error(`${entry.fileName} is damaged`);
        taken.push(entry.fileName);
      }
    } finally {
      zip.close();
    }
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code === "ENOENT") throw new InputError(`${path} does not exist; expected a wheel file (.whl)`);
    // zlib's errors (Z_…) are about the content. Others come from the system: no space, no permission.
    if (code !== undefined && !code.startsWith("Z_")) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path} is not a complete wheel file (${reason}); download it again`, [], {
      cause: error,
    });
  }
  return taken;
}

/** A member's path inside `folder`; undefined if it would lead outside. */
export function below(folder: string, member: string): string | undefined {
  const clean = normalize(member);
  return clean.startsWith("..") || clean.startsWith("/") ? undefined : join(folder, clean);
}

/** "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl" → its name and version. */
export function wheelName(path: string): { name: string; version: string } | undefined {
  const match = /^([^-]+)-([^-]+)-.*\.whl$/.exec(basename(path));
  const [, name, version] = match ?? [];
  return name === undefined || version === undefined
    ? undefined
    : { name: name.replaceAll("_", "-"), version };
}
