/** JPEG: segments with their lengths, and the entropy-coded data. */
import type { Random } from "../../demo-model/random.ts";
import { imageTarget } from "../formats/image-run.ts";
import { concat, interestingNumbers, mutateBytes } from "../mutate-bytes.ts";
import { partMutation } from "../parts.ts";
import type { CreateTarget } from "../target.ts";

interface Segment {
  readonly marker: number;
  /** Without the length; null for markers that stand alone. */
  readonly data: Uint8Array | null;
  /** The entropy-coded data after it. */
  readonly coded: Uint8Array;
}

const startOfImage = 0xd8;
const endOfImage = 0xd9;

function split(file: Uint8Array): Segment[] {
  const segments: Segment[] = [];
  for (let at = 0; at + 1 < file.length;) {
    if (file[at] !== 0xff) return segments;
    const marker = file[at + 1]!;
    let end = at + 2;
    let data: Uint8Array | null = null;
    if (marker !== startOfImage && marker !== endOfImage) {
      const length = (file[end]! << 8) | file[end + 1]!;
      data = file.subarray(end + 2, end + length);
      end += Math.max(length, 2);
    }
    // Up to the next marker; 0xff00 is a stuffed byte, 0xffd0 to 0xffd7 restart.
    let next = end;
    while (next < file.length && !(file[next] === 0xff && isMarker(file[next + 1] ?? 0))) next++;
    segments.push({ marker, data, coded: file.subarray(end, next) });
    at = next;
  }
  return segments;
}

function isMarker(byte: number): boolean {
  return byte !== 0 && (byte < 0xd0 || byte > 0xd7) && byte !== 0xff;
}

function join(segments: readonly Segment[]): Uint8Array {
  return concat(
    ...segments.flatMap(({ marker, data, coded }) => {
      const length = (data?.length ?? 0) + 2;
      const head = data === null ? [0xff, marker] : [0xff, marker, (length >> 8) & 0xff, length & 0xff];
      return [Uint8Array.from(head), data ?? new Uint8Array(), coded];
    }),
  );
}

function change({ marker, data, coded }: Segment, random: Random, donor: Segment): Segment {
  if (random.chance(0.05)) return { marker: 0xc0 + random.below(64), data, coded };
  if (coded.length > 0 && random.chance(0.5))
    return { marker, data, coded: mutateBytes(coded, random, donor.coded) };
  const isFrame = marker >= 0xc0 && marker <= 0xc2;
  if (data !== null && isFrame && data.length > 5 && random.chance(0.6)) {
    const frame = data.slice();
    const view = new DataView(frame.buffer);
    if (random.chance(0.5))
      view.setUint16(1 + 2 * random.below(2), random.pick([...interestingNumbers, 3, 17]) & 0xffff);
    else
      frame[5 + random.below(frame.length - 5)] = random.pick([
        0, 1, 2, 3, 0x11, 0x12, 0x21, 0x22, 0x41, 0x44, 255,
      ]);
    return { marker, data: frame, coded };
  }
  return { marker, data: data && mutateBytes(data, random, donor.data ?? coded), coded };
}

export const create: CreateTarget = () =>
  imageTarget(/^jpeg-.*\.jpg$/, [partMutation({ split, join, change })]);
