/** The codes of a partition's vectors: made when they are missing or stale, and read into a kernel's memory. */
import { createHash } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "../../../errors/input-error.ts";
import {
  codesHeadBytes,
  codesLayout,
  decodeCodesHead,
  encodeCodesHead,
  type CodesHead,
  type CodesSource,
} from "../../../retrieval/scan/codes-file.ts";
import { paddedWidth, type ScanKernel } from "../../../retrieval/scan/kernel.ts";
import { quantiseRow } from "../../../retrieval/scan/quantise.ts";
import type { CodeSegment } from "../../../retrieval/scan/scan-codes.ts";
import { exists } from "../../files/exists.ts";
import { FileSource, unreadable } from "../../files/file-source.ts";
import { makeFolder } from "../../files/make-folder.ts";
import { unwritable } from "../../files/output-path.ts";
import { removeAtExit } from "../../files/remove-at-exit.ts";
import { writeAll } from "../../files/write-file.ts";
import { cacheFolder } from "../../native/native-build.ts";
import { temporaryPath } from "../new-file.ts";
import { rowBlocks, type VectorFile } from "../vector-file.ts";

/** Rows that are in memory at once while codes are made: 8 MB of 1,024 numbers. */
const rowsAtOnce = 2048;

/** Codes of one file of vectors. */
export interface CodesFile {
  readonly path: string;
  readonly head: CodesHead;
}

/**
 * The codes of a file of vectors.
 *
 * @param place where they belong; null if the folder is not ours. Then, and where they cannot be written, they are in the
 *   cache folder
 * @throws InputError for vectors with numbers that are not finite, and if no folder can be written
 */
export async function ensureCodes(vectors: VectorFile, place: string | null): Promise<CodesFile> {
  const source = await sourceOf(vectors);
  const cached = join(
    cacheFolder(),
    "codes",
    `${createHash("sha256").update(vectors.path).digest("hex")}.i8`,
  );
  const places = place === null ? [cached] : [place, cached];
  for (const path of places) {
    const head = await readHead(path, source);
    if (head !== null) return { path, head };
  }
  for (const path of places) {
    try {
      return { path, head: await writeCodes(vectors, source, path) };
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      const mayBeElsewhere = code === "EACCES" || code === "EROFS" || code === "EPERM";
      if (!mayBeElsewhere || path === places.at(-1)) throw error;
    }
  }
  throw new Error("no place for codes");
}

async function sourceOf({ path, rows, width }: VectorFile): Promise<CodesSource> {
  const { size, mtimeMs } = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return { rows, width, size, mtime: mtimeMs };
}

async function readHead(path: string, source: CodesSource): Promise<CodesHead | null> {
  if (!(await exists(path))) return null;
  const file = await FileSource.open(path);
  try {
    const head = await file.read(0, Math.min(codesHeadBytes, file.size));
    return decodeCodesHead(head, source, file.size);
  } finally {
    await file.close();
  }
}

/** Writes the codes under another name first, so that a file of codes is complete. Two processes write the same bytes. */
async function writeCodes(vectors: VectorFile, source: CodesSource, path: string): Promise<CodesHead> {
  await makeFolder(dirname(path));
  const temporary = temporaryPath(path);
  const file = await open(temporary, "w").catch((error: unknown) => {
    throw unwritable(path, error);
  });
  const keep = removeAtExit(temporary);
  try {
    const { scales: scalesAt, errors: errorsAt, codes: codesAt } = codesLayout(source);
    const padded = paddedWidth(source.width);
    const [scales, errors] = [new Float32Array(source.rows), new Float32Array(source.rows)];
    const codes = new Int8Array(Math.min(rowsAtOnce, source.rows) * padded);
    let largestNorm = 0;
    for await (const { start, values } of rowBlocks(vectors, rowsAtOnce)) {
      const rows = values.length / source.width;
      for (let row = 0; row < rows; row++) {
        const into = codes.subarray(row * padded, row * padded + source.width);
        const quantised = quantiseRow(values.subarray(row * source.width, (row + 1) * source.width), into);
        if (quantised === null) {
          throw new InputError(
            `${vectors.path}: expected finite numbers, found others in row ${start + row}; embed these images again`,
          );
        }
        scales[start + row] = quantised.scale;
        // Not below the exact error, which bounds what a scan may miss.
        errors[start + row] = quantised.error * (1 + 2 ** -20);
        largestNorm = Math.max(largestNorm, quantised.norm);
      }
      await writeAll(file, bytesOf(codes.subarray(0, rows * padded)), codesAt + start * padded);
    }
    await writeAll(file, bytesOf(scales), scalesAt);
    await writeAll(file, bytesOf(errors), errorsAt);
    await file.truncate(codesLayout(source).size);
    const head = { ...source, largestNorm };
    await writeAll(file, encodeCodesHead(head), 0);
    await file.sync();
    await file.close();
    await rename(temporary, path);
    return head;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error instanceof InputError ? error : unwritable(path, error);
  } finally {
    keep();
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Int8Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Rows `first` to `first + rows` of a file of codes, in a kernel's memory. @param firstId of these rows */
export async function loadCodes(
  { path, head }: CodesFile,
  kernel: ScanKernel,
  { first, rows, firstId }: { readonly first: number; readonly rows: number; readonly firstId: number },
): Promise<CodeSegment> {
  const padded = paddedWidth(head.width);
  const layout = codesLayout(head);
  const memory = kernel.allocate(rows, padded);
  const [scales, errors] = [new Float32Array(rows), new Float32Array(rows)];
  const file = await FileSource.open(path);
  try {
    await file.read(layout.scales + 4 * first, 4 * rows, bytesOf(scales));
    await file.read(layout.errors + 4 * first, 4 * rows, bytesOf(errors));
    await file.read(layout.codes + first * padded, rows * padded, bytesOf(memory.codes));
  } finally {
    await file.close();
  }
  return { firstId, rows, memory, scales, errors, largestNorm: head.largestNorm };
}
