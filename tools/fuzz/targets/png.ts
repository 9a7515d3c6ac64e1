/** PNG: chunks with their checksums, and the rows inside the zlib stream. */
import { deflateSync, inflateSync } from "node:zlib";
import { crc32 } from "../../../lib/tensor/crc32.ts";
import type { Random } from "../../demo-model/random.ts";
import { imageTarget } from "../formats/image-run.ts";
import { concat, interestingNumbers, mutateBytes } from "../mutate-bytes.ts";
import { partMutation } from "../parts.ts";
import type { CreateTarget } from "../target.ts";

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function split(file: Uint8Array): Chunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Chunk[] = [];
  for (let at = 8; at + 12 <= file.length;) {
    const length = view.getUint32(at);
    const type = Buffer.from(file.subarray(at + 4, at + 8)).toString("latin1");
    chunks.push({ type, data: file.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function join(chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks.flatMap(({ type, data }) => {
    const body = concat(Buffer.from(type, "latin1"), data);
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    checksum.writeUInt32BE(crc32(body));
    return [length, body, checksum];
  });
  return concat(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts);
}

function change({ type, data }: Chunk, random: Random, donor: Chunk): Chunk {
  if (type === "IHDR" && data.length >= 13) return { type, data: otherHeader(data, random) };
  if (type === "IDAT" && random.chance(0.6)) {
    try {
      return { type, data: deflateSync(mutateBytes(inflateSync(data), random, donor.data)) };
    } catch {
      // A part of the stream alone.
    }
  }
  if (random.chance(0.1))
    return { type: random.pick(["IDAT", "PLTE", "tRNS", "eXIf", "IEND", "acTL", "abcd"]), data };
  return { type, data: mutateBytes(data, random, donor.data) };
}

function otherHeader(data: Uint8Array, random: Random): Uint8Array {
  const header = data.slice();
  const view = new DataView(header.buffer);
  const at = random.below(7);
  if (at < 2) {
    const isSmall = random.chance(0.8);
    view.setUint32(4 * at, isSmall ? random.below(100) : random.pick(interestingNumbers));
  } else header[6 + at] = random.pick([0, 1, 2, 3, 4, 6, 8, 16, 255]);
  return header;
}

export const create: CreateTarget = () => {
  const chunks = partMutation({ split, join, change });
  return imageTarget(/^(png-|size-.x|size-20).*\.png$/, [chunks]);
};
