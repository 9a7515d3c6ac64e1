/** BMP: the fields of the headers. */
import { imageTarget } from "../formats/image-run.ts";
import { interestingNumbers } from "../mutate-bytes.ts";
import type { CreateTarget, Mutation } from "../target.ts";

/** Positions of the 32-bit fields: offset, header size, width, height, planes and bits, compression, sizes, masks. */
const fields = [10, 14, 18, 22, 26, 28, 30, 34, 46, 50, 54, 58, 62, 66];

const otherField: Mutation = (input, random) => {
  const output = input.slice();
  const at = random.pick(fields);
  if (at + 4 > output.length) return output;
  const view = new DataView(output.buffer);
  const near = (view.getUint32(at, true) + random.below(9) - 4) >>> 0;
  const value =
    random.pick([near, random.below(70), random.pick(interestingNumbers), -1 - random.below(70)]) >>> 0;
  if (random.chance(0.3)) view.setUint16(at, value & 0xffff, true);
  else view.setUint32(at, value, true);
  return output;
};

const otherLayout: Mutation = (input, random) => {
  const output = input.slice();
  if (output.length < 34) return output;
  const view = new DataView(output.buffer);
  view.setUint16(28, random.pick([1, 2, 4, 8, 16, 24, 32, 64]), true);
  view.setUint32(30, random.below(7), true);
  return output;
};

export const create: CreateTarget = () => imageTarget(/^bmp-.*\.bmp$/, [otherField, otherField, otherLayout]);
