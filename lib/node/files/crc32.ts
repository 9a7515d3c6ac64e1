/** CRC-32, as fast as this version of Node can. */
import zlib from "node:zlib";
import { crc32 as portable, type Crc32 } from "../../tensor/crc32.ts";

/** Node has it since 20.15 and 22.2. */
export const crc32: Crc32 = (zlib as { readonly crc32?: Crc32 }).crc32 ?? portable;
