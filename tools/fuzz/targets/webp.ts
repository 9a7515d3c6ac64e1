/** WebP: the chunks of the RIFF container, with sizes that fit. */
import type { Random } from "../../demo-model/random.ts";
import { imageTarget } from "../formats/image-run.ts";
import { concat, interestingNumbers, mutateBytes } from "../mutate-bytes.ts";
import { partMutation, type Format } from "../parts.ts";
import type { CreateTarget } from "../target.ts";

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const types = ["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "EXIF", "ICCP", "abcd"];

function splitChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const type = Buffer.from(bytes.subarray(at, at + 4)).toString("latin1");
    chunks.push({ type, data: bytes.subarray(at + 8, at + 8 + size) });
    at += 8 + size + (size % 2);
  }
  return chunks;
}

function joinChunks(chunks: readonly Chunk[]): Uint8Array {
  return concat(
    ...chunks.flatMap(({ type, data }) => {
      const head = Buffer.alloc(8);
      head.write(type, "latin1");
      head.writeUInt32LE(data.length, 4);
      return [head, data, new Uint8Array(data.length % 2)];
    }),
  );
}

const frameHead = 16;

function change({ type, data }: Chunk, random: Random, donor: Chunk): Chunk {
  if (random.chance(0.1)) return { type: random.pick(types), data };
  // A frame of an animation holds chunks itself.
  if (type === "ANMF" && random.chance(0.5)) {
    const inner = partMutation({ split: splitChunks, join: joinChunks, change });
    return {
      type,
      data: concat(data.subarray(0, frameHead), inner(data.subarray(frameHead), random, donor.data)),
    };
  }
  const output = data.slice();
  const at = random.below(Math.min(output.length, 16));
  if (at + 4 <= output.length && random.chance(0.5)) {
    new DataView(output.buffer).setUint32(at, random.pick(interestingNumbers), true);
    return { type, data: output };
  }
  return { type, data: mutateBytes(data, random, donor.data) };
}

const file: Format<Chunk> = {
  split: (bytes) => splitChunks(bytes.subarray(12)),
  join(chunks) {
    const body = joinChunks(chunks);
    const head = Buffer.from("RIFF....WEBP");
    head.writeUInt32LE(body.length + 4, 4);
    return concat(head, body);
  },
  change,
};

export const create: CreateTarget = () => imageTarget(/^webp-.*\.webp$/, [partMutation(file)]);
