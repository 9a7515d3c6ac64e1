/** Changes of bytes, without knowledge of the format. */
import type { Random } from "../demo-model/random.ts";
import type { Mutation } from "./target.ts";

/** Numbers at the borders of what readers check. */
export const interestingNumbers = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 511, 512, 1000, 4095, 4096, 32767,
  32768, 65534, 65535, 65536, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
] as const;

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** One change of bytes. */
export const mutateBytes: Mutation = (input, random, other) => random.pick(changes)(input, random, other);

const flipBit: Mutation = (input, random) => {
  const output = input.slice();
  if (output.length > 0) output[random.below(output.length)]! ^= 1 << random.below(8);
  return output;
};

const setByte: Mutation = (input, random) => {
  const output = input.slice();
  if (output.length > 0) output[random.below(output.length)] = random.pick(interestingNumbers) & 0xff;
  return output;
};

const setNumber: Mutation = (input, random) => {
  const output = input.slice();
  const width = random.pick([2, 4, 8]);
  if (output.length < width) return output;
  const view = new DataView(output.buffer);
  const at = random.below(output.length - width + 1);
  const littleEndian = random.chance(0.5);
  const value = random.pick(interestingNumbers);
  if (width === 2) view.setUint16(at, value & 0xffff, littleEndian);
  else if (width === 4) view.setUint32(at, value, littleEndian);
  else
    view.setBigUint64(
      at,
      (BigInt(value) << BigInt(random.pick([0, 0, 21, 32]))) & (2n ** 64n - 1n),
      littleEndian,
    );
  return output;
};

const addToNumber: Mutation = (input, random) => {
  const output = input.slice();
  if (output.length === 0) return output;
  output[random.below(output.length)]! += random.below(33) - 16;
  return output;
};

const cut: Mutation = (input, random) => input.slice(0, random.below(input.length + 1));

const remove: Mutation = (input, random) => {
  const [start, end] = range(input, random);
  return concat(input.subarray(0, start), input.subarray(end));
};

const repeat: Mutation = (input, random) => {
  const [start, end] = range(input, random);
  const part = input.subarray(start, end);
  const times = random.chance(0.1) ? random.below(200) : 1 + random.below(3);
  return concat(input.subarray(0, end), ...Array.from({ length: times }, () => part), input.subarray(end));
};

const insert: Mutation = (input, random) => {
  const at = random.below(input.length + 1);
  const bytes = Uint8Array.from({ length: 1 + random.below(16) }, () => random.below(256));
  return concat(input.subarray(0, at), bytes, input.subarray(at));
};

const fill: Mutation = (input, random) => {
  const [start, end] = range(input, random);
  return input.slice().fill(random.pick([0, 0xff, random.below(256)]), start, end);
};

const splice: Mutation = (input, random, other) => {
  const [start, end] = range(other, random);
  const at = random.below(input.length + 1);
  const skipped = random.chance(0.5) ? end - start : 0;
  return concat(input.subarray(0, at), other.subarray(start, end), input.subarray(at + skipped));
};

const changes: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setNumber,
  setNumber,
  addToNumber,
  cut,
  remove,
  repeat,
  insert,
  fill,
  splice,
];

/** A range of bytes; short ones are more likely. */
function range(input: Uint8Array, random: Random): [start: number, end: number] {
  const start = random.below(input.length + 1);
  const longest = random.chance(0.7) ? Math.min(16, input.length - start) : input.length - start;
  return [start, start + random.below(longest + 1)];
}
