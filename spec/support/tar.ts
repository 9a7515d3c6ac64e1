/**
 * A header block of a tar.
 *
 * @param size in bytes, or the twelve bytes of the field
 * @param type "0" for a file
 */
export function tarHeader(name: string, size: number | Uint8Array, type = "0"): Buffer {
  const block = Buffer.alloc(512);
  block.write(name.slice(0, 100));
  block.write("0000644\0", 100);
  if (typeof size === "number") block.write(size.toString(8).padStart(11, "0"), 124);
  else block.set(size, 124);
  if (typeof size === "number" && size >= 8 ** 11) {
    // GNU's form for large numbers: a set bit, then base 256.
    block.fill(0, 124, 136);
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write("00000000000\0", 136);
  block.write(type, 156);
  block.write("ustar\x0000", 257);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
