/**
 * The header of NumPy's file of one array (`.npy`).
 *
 * Source: numpy/lib/format.py.
 */
import { InputError } from "../errors/input-error.ts";

export interface NpyHeader {
  /** NumPy's name of the dtype, such as `<f2`. */
  readonly descr: string;
  readonly shape: readonly number[];
  /** Whether the first index varies fastest in the file. */
  readonly fortranOrder: boolean;
  /** Where the values begin, in bytes. */
  readonly offset: number;
}

/** Bytes that hold the header of any array that is not a structure. */
export const npyHeadBytes = 1024;

/**
 * Reads a header.
 *
 * @param bytes the beginning of the file: {@link npyHeadBytes}, or the whole file if that is shorter
 * @param where the file, for errors
 * @throws InputError if it is not a `.npy` file
 */
export function decodeNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const latin1 = new TextDecoder("latin1");
  if (latin1.decode(bytes.subarray(0, 6)) !== "\x93NUMPY" || bytes.length < 12)
    throw new InputError(`${where}: expected a NumPy file (.npy)`);
  const isLong = view.getUint8(6) > 1;
  const start = isLong ? 12 : 10;
  const offset = start + (isLong ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = latin1.decode(bytes.subarray(start, Math.min(offset, start + npyHeadBytes)));
  const descr = /'descr': *'([^']*)'/.exec(header)?.[1] ?? "";
  const text = /'shape': *\(([^)]*)\)/.exec(header)?.[1];
  const sizes = text?.split(",").map((size) => size.trim());
  // Of one dimension it is written as (5,).
  if (sizes?.at(-1) === "") sizes.pop();
  const bad = sizes?.find((size) => !/^\d{1,15}$/.test(size));
  if (sizes === undefined || bad !== undefined)
    throw new InputError(`${where}: expected the shape of an array in the header, found (${text ?? ""})`);
  return { descr, shape: sizes.map(Number), fortranOrder: /'fortran_order': *True/.test(header), offset };
}

/**
 * The header of an array in C order, in version 1.0 of the format. That of a matrix of float16 or float32 always has
 * 128 bytes, so it can be written before the number of rows is known and corrected afterwards.
 */
export function encodeNpyHeader(descr: "<f2" | "<f4", shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const description = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // The data starts at a multiple of 64 bytes; the description ends with a line break.
  const before = 10 + description.length + 1;
  const padded = `${description}${" ".repeat((64 - (before % 64)) % 64)}\n`;
  const header = new Uint8Array(10 + padded.length);
  header.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  new DataView(header.buffer).setUint16(8, padded.length, true);
  header.set(new TextEncoder().encode(padded), 10);
  return header;
}
