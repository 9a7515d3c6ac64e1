/** SentencePiece models: protocol buffers, changed field by field. */
import { readFixture } from "../fixtures.ts";
import { useTokenizer } from "../formats/tokenize.ts";
import { concat, mutateBytes } from "../mutate-bytes.ts";
import { partMutation, type Format } from "../parts.ts";
import type { CreateTarget } from "../target.ts";

/** A field with its length, which is changed with its content. */
interface Field {
  readonly tag: number;
  /** The bytes of a field of the wire type 2; of others, the value as it is stored. */
  readonly value: Uint8Array;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

function split(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; at < message.length && factor < 2 ** 49; factor *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < message.length) {
    const tag = number();
    const start = at;
    if (tag % 8 === 2) {
      const length = number();
      fields.push({ tag, value: message.subarray(at, (at += length)) });
    } else {
      if (tag % 8 === 0) number();
      else at += tag % 8 === 5 ? 4 : 8;
      fields.push({ tag, value: message.subarray(start, at) });
    }
  }
  return fields;
}

function join(fields: readonly Field[]): Uint8Array {
  return concat(
    ...fields.map(({ tag, value }) =>
      concat(Uint8Array.from([...varint(tag), ...(tag % 8 === 2 ? varint(value.length) : [])]), value),
    ),
  );
}

const format: Format<Field> = {
  split,
  join,
  change({ tag, value }, random, donor) {
    if (random.chance(0.1)) return { tag: random.pick([tag ^ 1, tag ^ 2, tag + 8, tag - 8, 0]), value };
    if (tag % 8 === 2 && random.chance(0.6)) return { tag, value: inner(value, random, donor.value) };
    return { tag, value: mutateBytes(value, random, donor.value) };
  },
};
/** The same for the fields of a field: pieces and specs are messages. */
const inner = partMutation(format);

const pieces = 50;

export const create: CreateTarget = () => {
  const fields = split(readFixture("tokenizer/sentencepiece.bpe.model"));
  const isPiece = ({ tag }: Field): boolean => tag >> 3 === 1;
  const specs = fields.filter((field) => !isPiece(field));
  const first = fields.filter(isPiece).slice(0, pieces);
  const withoutCharsmap = specs.map(({ tag, value }) =>
    tag >> 3 === 3
      ? { tag, value: join(split(value).filter((field) => field.tag >> 3 !== 2)) }
      : { tag, value },
  );
  return {
    seeds: [join([...first, ...withoutCharsmap]), join([...first.slice(0, 10), ...withoutCharsmap])],
    mutations: [partMutation(format)],
    run: (input) => useTokenizer("sentencepiece.bpe.model", input),
    maxSize: 16_384,
  };
};
