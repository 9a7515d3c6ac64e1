/** An array in NumPy's format, float32 in C order. Source: numpy/lib/format.py, version 1.0 */
import { elementCount } from "./dtype.ts";
import { InputError } from "../errors/input-error.ts";

/** @param values as many as the shape says @throws InputError for another number of values */
export function encodeNpy(shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  if (values.length !== elementCount(shape)) {
    throw new InputError(
      `encodeNpy: expected ${elementCount(shape)} values for [${shape.join(", ")}], found ${values.length}`,
    );
  }
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${tuple}), }`;
  // The data starts at a multiple of 64 bytes; the description ends with a line break.
  const before = 10 + description.length + 1;
  const padded = `${description}${" ".repeat((64 - (before % 64)) % 64)}\n`;
  const file = new Uint8Array(10 + padded.length + 4 * values.length);
  file.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  file.set(new TextEncoder().encode(padded), 10);
  const view = new DataView(file.buffer);
  view.setUint16(8, padded.length, true);
  for (let i = 0; i < values.length; i++) view.setFloat32(10 + padded.length + 4 * i, values[i]!, true);
  return file;
}
