/** The checksum of zip files. */
import zlib from "node:zlib";

/** Node has it since 20.15; a table in JavaScript is several times slower. */
const native = (zlib as Partial<Pick<typeof zlib, "crc32">>).crc32;

/** @param crc the checksum of the bytes before these, 0 at the beginning */
export const crc32: (bytes: Uint8Array, crc: number) => number = native ?? portableCrc32;

let table: Uint32Array | undefined;

/** The same without Node's help: polynomial 0xedb88320, a byte at a time. */
export function portableCrc32(bytes: Uint8Array, crc: number): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = (byte >>> 1) ^ (byte & 1 ? 0xedb88320 : 0);
    return byte;
  });
  crc = ~crc;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}
