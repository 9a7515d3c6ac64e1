/** A one-dimensional float32 array in NumPy's format. Source: numpy/lib/format.py, version 1.0 */
export function encodeNpy(values: readonly number[]): Uint8Array {
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length},), }`;
  // The data starts at a multiple of 64 bytes; the description ends with a line break.
  const before = 10 + description.length + 1;
  const padded = `${description}${" ".repeat((64 - (before % 64)) % 64)}\n`;
  const head = Buffer.alloc(10);
  head.write("\x93NUMPY\x01\x00", "latin1");
  head.writeUInt16LE(padded.length, 8);
  const data = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) data.writeFloatLE(value, 4 * i);
  return Buffer.concat([head, Buffer.from(padded, "latin1"), data]);
}
