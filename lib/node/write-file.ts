/** Files that appear whole or not at all. */
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { unreadable } from "./file-source.ts";

/**
 * Writes a file beside its place and moves it there when it is complete: whoever is killed or fails half-way leaves
 * what was there before.
 *
 * @throws InputError if it cannot be written
 */
export async function writeWhole(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(beside, "w");
    try {
      for (const part of parts) await file.writeFile(part);
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw unreadable(path, error);
  }
}

/** Writes bytes where the last ones ended, or at a position. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const at = position === undefined ? null : position + done;
    done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}
