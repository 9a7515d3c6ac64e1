/** WebP: the chunks of the RIFF container, with sizes that fit. */
import { maximumPixels } from "../../../lib/image/limits.ts";
import type { Random } from "../../demo-model/random.ts";
import { imageTarget } from "../formats/image-run.ts";
import { concat, interestingNumbers, mutateBytes } from "../mutate-bytes.ts";
import { limits } from "../oracle.ts";
import { partMutation, type Format } from "../parts.ts";
import type { CreateTarget, Mutation } from "../target.ts";

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

/** 24-bit numbers where the container has sizes and positions. */
function sizes(random: Random, count: number): Uint8Array {
  const output = new Uint8Array(3 * count);
  for (let i = 0; i < count; i++) {
    const value = random.chance(0.7) ? random.below(40) : random.pick(interestingNumbers) & 0xffffff;
    output.set([value & 0xff, (value >> 8) & 0xff, value >> 16], 3 * i);
  }
  return output;
}

/** Builds another container around the images of a file: extended, animated, or still, with any flags and sizes. */
const otherContainer: Mutation = (input, random, other) => {
  const chunks = [...imagesOf(input), ...imagesOf(other)];
  if (chunks.length === 0) return mutateBytes(input, random, other);
  const flags = random.pick([0, 0x02, 0x10, 0x12, 0x08, 0x0a, 0x3e, 0xff, random.below(256)]);
  const extended = { type: "VP8X", data: concat(Uint8Array.of(flags, 0, 0, 0), sizes(random, 2)) };
  const background = { type: "ANIM", data: Uint8Array.of(1, 2, 3, 4, 0, 0) };
  const frames = Array.from({ length: random.below(4) }, () => {
    const inner = Array.from({ length: random.pick([0, 1, 1, 1, 2]) }, () => random.pick(chunks));
    return {
      type: "ANMF",
      data: concat(sizes(random, 5), Uint8Array.of(random.below(4)), joinChunks(inner)),
    };
  });
  const parts = [extended, background, ...frames, random.pick(chunks)].filter(() => random.chance(0.85));
  return file.join(parts);
};

/** The chunks with pixels, those inside the frames of an animation too. */
function imagesOf(bytes: Uint8Array): Chunk[] {
  return splitChunks(bytes.subarray(12)).flatMap((chunk) =>
    chunk.type === "ANMF"
      ? splitChunks(chunk.data.subarray(frameHead))
      : chunk.type.startsWith("VP8X")
        ? []
        : [chunk],
  );
}

/** Changes the dimensions in the header of a still image, which libwebp reads itself. */
const otherDimensions: Mutation = (input, random) => {
  const chunks = splitChunks(input.subarray(12)).map(({ type, data }) => ({ type, data: data.slice() }));
  const still = chunks.find(({ type }) => type === "VP8 " || type === "VP8L");
  const at = still?.type === "VP8 " ? 6 : 1;
  if (still === undefined || still.data.length < at + 4) return input;
  const view = new DataView(still.data.buffer);
  const value = random.chance(0.6)
    ? random.below(64) | (random.below(64) << 14)
    : random.pick(interestingNumbers);
  view.setUint32(at, value, true);
  return file.join(chunks);
};

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

export const create: CreateTarget = () => ({
  ...imageTarget(/^webp-.*\.webp$/, [partMutation(file), otherContainer, otherDimensions]),
  // The canvas of an animation can have as many pixels as the limit allows, whatever the size of the file.
  memory: 2 * 4 * maximumPixels,
  time: (input) => limits.time + millisecondsPerPixel * canvasPixels(input),
});

const millisecondsPerPixel = 1e-4;

/** The pixels of an extended file's canvas that a reader accepts; 0 for other files. */
function canvasPixels(input: Uint8Array): number {
  if (input.length < 30 || Buffer.from(input.subarray(12, 16)).toString("latin1") !== "VP8X") return 0;
  const side = (at: number): number => 1 + input[at]! + 256 * input[at + 1]! + 65536 * input[at + 2]!;
  const pixels = side(24) * side(27);
  return pixels <= maximumPixels ? pixels : 0;
}
