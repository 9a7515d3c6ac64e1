/** Changes of formats that are a list of parts: chunks, segments, blocks, fields. */
import type { Random } from "../demo-model/random.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import type { Mutation } from "./target.ts";

export interface Format<Part> {
  /** The parts of a file; undefined, an error or an empty list if it is another file. */
  readonly split: (input: Uint8Array) => Part[] | undefined;
  /** The file of parts, with lengths and checksums that fit. */
  readonly join: (parts: readonly Part[]) => Uint8Array;
  /** Changes one part. @param donor a part of another file, or of the same */
  readonly change: (part: Part, random: Random, donor: Part) => Part;
}

/** Changes one part, or removes, repeats, moves or takes over parts. */
export function partMutation<Part>({ split, join, change }: Format<Part>): Mutation {
  const partsOf = (bytes: Uint8Array): Part[] => {
    try {
      return split(bytes) ?? [];
    } catch {
      return [];
    }
  };
  return (input, random, other) => {
    const parts = partsOf(input);
    if (parts.length === 0) return mutateBytes(input, random, other);
    const donors = partsOf(other);
    const donor = random.pick(donors.length > 0 ? donors : parts);
    const at = random.below(parts.length);
    switch (random.below(9)) {
      case 0:
        return join(parts.toSpliced(at, 1));
      case 1: {
        const times = random.chance(0.1) ? random.below(100) : 1;
        return join(parts.toSpliced(at, 0, ...Array.from({ length: times }, () => parts[at]!)));
      }
      case 2:
        return join(parts.toSpliced(random.below(parts.length), 0, donor));
      case 3:
        return join(parts.toSpliced(at, 1).toSpliced(random.below(parts.length), 0, parts[at]!));
      default:
        return join(parts.with(at, change(parts[at]!, random, donor)));
    }
  };
}
