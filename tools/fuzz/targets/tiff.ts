/** TIFF: the entries of the first directory. */
import type { Random } from "../../demo-model/random.ts";
import { imageTarget } from "../formats/image-run.ts";
import { interestingNumbers, mutateBytes } from "../mutate-bytes.ts";
import type { CreateTarget, Mutation } from "../target.ts";

const tags = [
  256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339, 347,
] as const;

/** Changes fields of an entry (tag, type, count, value) in place. */
const otherEntry: Mutation = (input, random, other) => {
  const output = input.slice();
  const view = new DataView(output.buffer);
  try {
    const littleEndian = output[0] === 0x49;
    const directory = view.getUint32(4, littleEndian);
    const count = view.getUint16(directory, littleEndian);
    const entry = directory + 2 + 12 * random.below(count);
    changeEntry(view, entry, littleEndian, random);
    return output;
  } catch {
    return mutateBytes(input, random, other);
  }
};

function changeEntry(view: DataView, entry: number, littleEndian: boolean, random: Random): void {
  const near = (at: number): number => view.getUint32(at, littleEndian) + random.below(5) - 2;
  switch (random.below(6)) {
    case 0:
      view.setUint16(entry, random.pick(tags), littleEndian);
      break;
    case 1:
      view.setUint16(entry + 2, random.below(20), littleEndian);
      break;
    case 2:
      view.setUint32(entry + 4, random.pick([near(entry + 4), ...interestingNumbers]), littleEndian);
      break;
    case 3:
      view.setUint16(entry + 8, random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 32773, 32946]), littleEndian);
      break;
    default:
      view.setUint32(entry + 8, random.pick([near(entry + 8), ...interestingNumbers]), littleEndian);
  }
}

export const create: CreateTarget = () => imageTarget(/^tiff-.*\.tif$/, [otherEntry, otherEntry]);
