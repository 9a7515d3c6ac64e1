/**
 * Files of codes (`codes/*.i8`): derived from a partition's vectors, and made again when those change.
 *
 * 64 bytes: "clipi8" and the version, then little-endian float64: rows, width, the greatest norm, and size and time of
 * the vectors' file. Then float32 scales and float32 errors of each row, zeros up to a multiple of 64, and the int8 codes
 * [rows, padded width].
 */
import { paddedWidth } from "./kernel.ts";

const magic = "clipi8\0\x01";
const headBytes = 64;

/** What codes were made from. */
export interface CodesSource {
  readonly rows: number;
  readonly width: number;
  /** Of the vectors' file, in bytes. */
  readonly size: number;
  /** Of the vectors' file, in milliseconds. */
  readonly mtime: number;
}

export interface CodesHead extends CodesSource {
  readonly largestNorm: number;
}

/** Where the parts of a file are, in bytes. */
export function codesLayout({ rows, width }: Pick<CodesSource, "rows" | "width">): {
  readonly scales: number;
  readonly errors: number;
  readonly codes: number;
  readonly size: number;
} {
  const codes = Math.ceil((headBytes + 8 * rows) / 64) * 64;
  return { scales: headBytes, errors: headBytes + 4 * rows, codes, size: codes + rows * paddedWidth(width) };
}

export function encodeCodesHead({ rows, width, size, mtime, largestNorm }: CodesHead): Uint8Array {
  const head = new Uint8Array(headBytes);
  head.set(new TextEncoder().encode(magic));
  const view = new DataView(head.buffer);
  for (const [i, value] of [rows, width, largestNorm, size, mtime].entries())
    view.setFloat64(8 + 8 * i, value, true);
  return head;
}

/** @returns null for codes of another source, or another program */
export function decodeCodesHead(bytes: Uint8Array, source: CodesSource, fileSize: number): CodesHead | null {
  if (bytes.length < headBytes || new TextDecoder().decode(bytes.subarray(0, 8)) !== magic) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, headBytes);
  const [rows, width, largestNorm, size, mtime] = [0, 1, 2, 3, 4].map((i) =>
    view.getFloat64(8 + 8 * i, true),
  );
  const isOf =
    rows === source.rows && width === source.width && size === source.size && mtime === source.mtime;
  return isOf && fileSize === codesLayout(source).size ? { ...source, largestNorm: largestNorm! } : null;
}

/** Bytes that a reader needs of a file to decide whether it is of a source. */
export const codesHeadBytes = headBytes;
