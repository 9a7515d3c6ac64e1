/** Pickles by opcode: generated, and changed with their opcodes whole. */
import type { Random } from "../../demo-model/random.ts";
import { concat, interestingNumbers, mutateBytes } from "../mutate-bytes.ts";
import type { Mutation } from "../target.ts";

/** What follows an opcode: a number of bytes, a length and as many bytes, or lines. */
type Argument = number | "length1" | "length4" | "length8" | "lines";

const opcodes: Readonly<Record<number, Argument>> = {
  0x80: 1, // PROTO
  0x95: 8, // FRAME
  0x4e: 0, // NONE
  0x88: 0, // NEWTRUE
  0x89: 0, // NEWFALSE
  0x4a: 4, // BININT
  0x4b: 1, // BININT1
  0x4d: 2, // BININT2
  0x8a: "length1", // LONG1
  0x8b: "length4", // LONG4
  0x47: 8, // BINFLOAT
  0x8c: "length1", // SHORT_BINUNICODE
  0x58: "length4", // BINUNICODE
  0x8d: "length8", // BINUNICODE8
  0x55: "length1", // SHORT_BINSTRING
  0x54: "length4", // BINSTRING
  0x43: "length1", // SHORT_BINBYTES
  0x42: "length4", // BINBYTES
  0x8e: "length8", // BINBYTES8
  0x96: "length8", // BYTEARRAY8
  0x29: 0, // EMPTY_TUPLE
  0x85: 0, // TUPLE1
  0x86: 0, // TUPLE2
  0x87: 0, // TUPLE3
  0x74: 0, // TUPLE
  0x5d: 0, // EMPTY_LIST
  0x6c: 0, // LIST
  0x61: 0, // APPEND
  0x65: 0, // APPENDS
  0x7d: 0, // EMPTY_DICT
  0x64: 0, // DICT
  0x73: 0, // SETITEM
  0x75: 0, // SETITEMS
  0x8f: 0, // EMPTY_SET
  0x90: 0, // ADDITEMS
  0x91: 0, // FROZENSET
  0x28: 0, // MARK
  0x30: 0, // POP
  0x31: 0, // POP_MARK
  0x32: 0, // DUP
  0x71: 1, // BINPUT
  0x72: 4, // LONG_BINPUT
  0x94: 0, // MEMOIZE
  0x68: 1, // BINGET
  0x6a: 4, // LONG_BINGET
  0x63: "lines", // GLOBAL
  0x93: 0, // STACK_GLOBAL
  0x52: 0, // REDUCE
  0x81: 0, // NEWOBJ
  0x92: 0, // NEWOBJ_EX
  0x62: 0, // BUILD
  0x51: 0, // BINPERSID
  0x2e: 0, // STOP
};
const codes = Object.keys(opcodes).map(Number);

/** Names that readers know, and some that they must not. */
const globals = [
  "collections\nOrderedDict",
  "torch._utils\n_rebuild_tensor",
  "torch._utils\n_rebuild_tensor_v2",
  "torch._utils\n_rebuild_tensor_v3",
  "torch._utils\n_rebuild_parameter",
  "torch._utils\n_rebuild_qtensor",
  "torch._tensor\n_rebuild_from_type_v2",
  "torch._utils\n_rebuild_device_tensor_from_cpu_tensor",
  "torch\nFloatStorage",
  "torch\nHalfStorage",
  "torch\nLongStorage",
  "torch.storage\nUntypedStorage",
  "torch\nfloat32",
  "torch\nfloat8_e4m3fn",
  "torch\nSize",
  "torch\nTensor",
  "builtins\nset",
  "builtins\ngetattr",
  "os\nsystem",
  "constructor\ntoString",
];

/** Splits a pickle into its opcodes with their arguments; what follows an unknown byte is the last part. */
function split(pickle: Uint8Array): Uint8Array[] {
  const view = new DataView(pickle.buffer, pickle.byteOffset, pickle.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < pickle.length;) {
    const end = endOf(view, pickle, at);
    parts.push(pickle.subarray(at, end));
    at = end;
  }
  return parts;
}

function endOf(view: DataView, pickle: Uint8Array, at: number): number {
  const argument = opcodes[pickle[at]!];
  const left = pickle.length - at - 1;
  if (argument === undefined) return pickle.length;
  if (typeof argument === "number") return at + 1 + Math.min(argument, left);
  if (argument === "lines") {
    const first = pickle.indexOf(10, at);
    const second = first === -1 ? -1 : pickle.indexOf(10, first + 1);
    return second === -1 ? pickle.length : second + 1;
  }
  const width = { length1: 1, length4: 4, length8: 8 }[argument];
  if (left < width) return pickle.length;
  const length =
    width === 1
      ? view.getUint8(at + 1)
      : width === 4
        ? view.getUint32(at + 1, true)
        : Number(view.getBigUint64(at + 1, true));
  return at + 1 + width + Math.min(length, left - width);
}

function newOpcode(random: Random): Uint8Array {
  const code = random.pick(codes);
  const argument = opcodes[code]!;
  if (argument === "lines") return concat(Uint8Array.of(code), Buffer.from(`${random.pick(globals)}\n`));
  if (typeof argument === "number") {
    const bytes = new Uint8Array(argument);
    const value = random.chance(0.5) ? random.below(8) : random.pick(interestingNumbers);
    for (let i = 0; i < Math.min(4, bytes.length); i++) bytes[i] = value >>> (8 * i);
    return concat(Uint8Array.of(code), bytes);
  }
  const text = Buffer.from(
    random.pick(["", "storage", "0", "1", "cpu", "visual.proj", "state_dict", "\n\x1b", "x".repeat(2000)]),
  );
  const head = Buffer.alloc({ length1: 1, length4: 4, length8: 8 }[argument]);
  head[0] = random.chance(0.9) ? Math.min(text.length, 255) : random.below(256);
  return concat(Uint8Array.of(code), head, text.subarray(0, 255));
}

function concatOpcode(parts: readonly Uint8Array[]): Uint8Array {
  return concat(...parts);
}

/** Changes opcodes: removes, repeats, moves, replaces and inserts them. */
export const mutatePickle: Mutation = (input, random, other) => {
  const parts = split(input);
  if (parts.length === 0) return newOpcode(random);
  const at = random.below(parts.length);
  switch (random.below(9)) {
    case 0:
      return concatOpcode(parts.toSpliced(at, 1));
    case 1:
      return concatOpcode(parts.toSpliced(at, 0, parts[at]!));
    case 2:
      return concatOpcode(parts.toSpliced(at, 1, newOpcode(random)));
    case 3:
      return concatOpcode(parts.toSpliced(at, 0, newOpcode(random)));
    case 4:
      return concatOpcode(parts.with(at, parts[random.below(parts.length)]!));
    case 5: {
      // A run of opcodes, many times.
      const run = parts.slice(at, at + 1 + random.below(6));
      const times = random.chance(0.1) ? random.below(2000) : random.below(4);
      return concatOpcode(parts.toSpliced(at, 0, ...Array.from({ length: times }, () => run).flat()));
    }
    case 6: {
      const donor = split(other);
      const from = random.below(donor.length + 1);
      return concatOpcode(
        parts.toSpliced(at, random.below(4), ...donor.slice(from, from + 1 + random.below(12))),
      );
    }
    case 7: {
      // The argument of an opcode.
      const part = parts[at]!.slice();
      if (part.length > 1) part[1 + random.below(part.length - 1)] = random.pick(interestingNumbers) & 0xff;
      return concatOpcode(parts.with(at, part));
    }
    default:
      return mutateBytes(input, random, other);
  }
};

/** A pickle of random opcodes: most machines stop early, so it is short. */
export function newPickle(random: Random): Uint8Array {
  const parts = Array.from({ length: 1 + random.below(40) }, () => newOpcode(random));
  return concat(Buffer.from([0x80, 2]), ...parts, Buffer.from("."));
}
