/** Changes of zip archives of stored members, with sizes, offsets and checksums that fit. */
import { zip } from "../../../spec/support/zip.ts";
import type { Random } from "../../demo-model/random.ts";
import { interestingNumbers, mutateBytes } from "../mutate-bytes.ts";
import type { Mutation } from "../target.ts";

type Members = Record<string, Uint8Array>;

/** The stored members of an archive, by its directory; undefined if it has none. */
export function unzip(archive: Uint8Array): Members | undefined {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const members: Members = {};
  try {
    let end = archive.length - 22;
    while (view.getUint32(end, true) !== 0x06054b50) end--;
    let at = view.getUint32(end + 16, true);
    for (let count = view.getUint16(end + 10, true); count > 0; count--) {
      const size = view.getUint32(at + 24, true);
      const nameSize = view.getUint16(at + 28, true);
      const header = view.getUint32(at + 42, true);
      const name = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + nameSize));
      const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
      members[name] = archive.subarray(start, start + size);
      at += 46 + nameSize + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
    return members;
  } catch {
    return undefined;
  }
}

/** Changes of members: their bytes, their names, their number. @param mutate changes for the member whose name matches */
export function zipMutations(name: RegExp, mutate: Mutation): readonly Mutation[] {
  const inMember: Mutation = (input, random, other) => {
    const members = unzip(input);
    const key = Object.keys(members ?? {}).find((one) => name.test(one));
    if (members === undefined || key === undefined) return mutateBytes(input, random, other);
    const donors = Object.entries(unzip(other) ?? {});
    const donor = donors.find(([one]) => name.test(one))?.[1] ?? members[key]!;
    return rebuilt({ ...members, [key]: mutate(members[key]!, random, donor) });
  };
  return [inMember, inMember, inMember, otherMember, otherNames, zipField];
}

const otherMember: Mutation = (input, random, other) => {
  const members = unzip(input);
  const names = Object.keys(members ?? {});
  if (members === undefined || names.length === 0) return mutateBytes(input, random, other);
  const name = random.pick(names);
  return rebuilt({ ...members, [name]: mutateBytes(members[name]!, random, other.subarray(0, 64)) });
};

const otherNames: Mutation = (input, random, other) => {
  const members = Object.entries(unzip(input) ?? {});
  if (members.length === 0) return mutateBytes(input, random, other);
  const at = random.below(members.length);
  const [name, bytes] = members[at]!;
  const kind = random.below(3);
  if (kind === 0) members.splice(at, 1);
  else if (kind === 1) members.push([`${name}/../x`, bytes]);
  else
    members[at] = [
      random.pick(["a/data.pkl", "data.pkl", "archive/byteorder", "", "\n", "a".repeat(3000), name.slice(1)]),
      bytes,
    ];
  return rebuilt(Object.fromEntries(members));
};

/** One field of one of the records, at the borders. */
function zipField(input: Uint8Array, random: Random): Uint8Array {
  const output = input.slice();
  const view = new DataView(output.buffer);
  const records: number[] = [];
  for (
    let at = output.indexOf(0x50);
    at !== -1 && at + 46 < output.length;
    at = output.indexOf(0x50, at + 1)
  ) {
    if (output[at + 1] === 0x4b && output[at + 2]! < 8) records.push(at);
  }
  const end = output.length - 22;
  if (end > 0) records.push(end, end);
  if (records.length === 0) return output;
  const at = random.pick(records) + 4 + 2 * random.below(9);
  if (random.chance(0.5)) view.setUint16(at, random.pick(interestingNumbers) & 0xffff, true);
  else if (at + 4 <= output.length) view.setUint32(at, random.pick(interestingNumbers), true);
  return output;
}

function rebuilt(members: Members): Uint8Array {
  return Uint8Array.from(zip(members));
}
