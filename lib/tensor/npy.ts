/** An array in NumPy's format, float32 in C order. Source: numpy/lib/format.py, version 1.0 */
import { elementCount } from "./dtype.ts";
import { InputError } from "../errors/input-error.ts";
import { encodeNpyHeader } from "./npy-header.ts";

/** @param values as many as the shape says @throws InputError for another number of values */
export function encodeNpy(shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  if (values.length !== elementCount(shape)) {
    throw new InputError(
      `encodeNpy: expected ${elementCount(shape)} values for [${shape.join(", ")}], found ${values.length}`,
    );
  }
  const header = encodeNpyHeader("<f4", shape);
  const file = new Uint8Array(header.length + 4 * values.length);
  file.set(header);
  const view = new DataView(file.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(header.length + 4 * i, values[i]!, true);
  return file;
}
