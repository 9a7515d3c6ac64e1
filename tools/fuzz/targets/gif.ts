/** GIF: the screen, extensions, images and their blocks of LZW codes. */
import type { Random } from "../../demo-model/random.ts";
import { imageTarget } from "../formats/image-run.ts";
import { concat, interestingNumbers, mutateBytes } from "../mutate-bytes.ts";
import { partMutation } from "../parts.ts";
import type { CreateTarget } from "../target.ts";

interface Block {
  /** The fields before the blocks of data: the header, an extension's label, or an image's descriptor and palette. */
  readonly head: Uint8Array;
  /** The data without the lengths of the blocks; null if there is none. */
  readonly data: Uint8Array | null;
}

const paletteSize = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * (2 << (flags & 7)));

function split(file: Uint8Array): Block[] {
  const screen = 13 + paletteSize(file[10] ?? 0);
  const blocks: Block[] = [{ head: file.subarray(0, screen), data: null }];
  for (let at = screen; at < file.length;) {
    const size =
      file[at] === 0x21 ? 2 : file[at] === 0x2c ? 11 + paletteSize(file[at + 9] ?? 0) : file.length - at;
    const head = file.subarray(at, at + size);
    at += size;
    const parts: Uint8Array[] = [];
    for (let length = file[at++] ?? 0; length > 0 && at < file.length; length = file[at++] ?? 0) {
      parts.push(file.subarray(at, (at += length)));
    }
    blocks.push({ head, data: at > file.length ? null : concat(...parts) });
  }
  return blocks;
}

function join(blocks: readonly Block[]): Uint8Array {
  return concat(
    ...blocks.flatMap(({ head, data }) => {
      if (data === null) return [head];
      const parts: Uint8Array[] = [head];
      for (let at = 0; at < data.length; at += 255) {
        const part = data.subarray(at, at + 255);
        parts.push(Uint8Array.of(part.length), part);
      }
      return [...parts, Uint8Array.of(0)];
    }),
  );
}

function change({ head, data }: Block, random: Random, donor: Block): Block {
  if (data !== null && random.chance(0.5))
    return { head, data: mutateBytes(data, random, donor.data ?? head) };
  const fields = head.slice();
  const at = random.below(Math.min(fields.length, 14));
  if (random.chance(0.5)) fields[at] = random.pick([0, 1, 2, 8, 9, 12, 0x40, 0x80, 0x87, 255]);
  else if (at + 1 < fields.length) {
    new DataView(fields.buffer).setUint16(at, random.pick(interestingNumbers) & 0xffff, true);
  }
  return { head: fields, data };
}

export const create: CreateTarget = () =>
  imageTarget(/^gif-.*\.gif$/, [partMutation({ split, join, change })]);
