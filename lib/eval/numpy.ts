/**
 * NumPy's file of one array (`.npy`).
 *
 * Source: numpy/lib/format.py.
 */
import { InputError } from "../errors/input-error.ts";
import { decodeNpyHeader } from "../tensor/npy-header.ts";

type Reader = (view: DataView, offset: number) => number;

/** By NumPy's names of little-endian dtypes; one byte has no order. */
const dtypes: Readonly<Record<string, readonly [bytes: number, read: Reader]>> = {
  "|b1": [1, (view, at) => view.getUint8(at)],
  "|u1": [1, (view, at) => view.getUint8(at)],
  "|i1": [1, (view, at) => view.getInt8(at)],
  "<i2": [2, (view, at) => view.getInt16(at, true)],
  "<i4": [4, (view, at) => view.getInt32(at, true)],
  "<i8": [8, (view, at) => Number(view.getBigInt64(at, true))],
  "<f4": [4, (view, at) => view.getFloat32(at, true)],
  "<f8": [8, (view, at) => view.getFloat64(at, true)],
};

/** Values of a vector, at most. */
const longest = 2 ** 20;

/**
 * Reads a vector.
 *
 * @param where the file, for errors
 * @throws InputError if it is not a `.npy` file, has another number of dimensions, or a dtype that is not supported
 */
export function readNumpyVector(bytes: Uint8Array, where: string): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { descr, shape, offset: end } = decodeNpyHeader(bytes, where);
  const [count = 0] = shape;
  if (shape.length !== 1)
    throw new InputError(`${where}: expected one dimension, found the shape (${shape.join(", ")})`);
  const [size, read] = Object.hasOwn(dtypes, descr) ? dtypes[descr]! : [];
  if (size === undefined || read === undefined) {
    throw new InputError(
      `${where}: expected one of ${Object.keys(dtypes).join(", ")}, found the dtype ${descr}`,
    );
  }
  if (count > longest || end + count * size !== bytes.length) {
    throw new InputError(
      `${where}: expected ${count} values of ${size} bytes, found ${bytes.length - end} bytes`,
    );
  }
  return Array.from({ length: count }, (_, i) => read(view, end + i * size));
}
