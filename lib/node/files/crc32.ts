/** CRC-32: Node's implementation if this version has it, else the portable one. */
import zlib from "node:zlib";
import { crc32 as portable, type Crc32 } from "../../tensor/crc32.ts";

/** Available since Node 20.15 and 22.2. */
export const crc32: Crc32 = (zlib as { readonly crc32?: Crc32 }).crc32 ?? portable;
