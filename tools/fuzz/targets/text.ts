/** Any text through the cleaners and the tokenizers. An input is UTF-16, so that lone surrogates occur. */
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { cleaners } from "../../../lib/text/clean/clean.ts";
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";
import { packageRoot } from "../../../spec/support/paths.ts";
import type { Random } from "../../demo-model/random.ts";
import { readFixture } from "../fixtures.ts";
import type { CreateTarget, Mutation } from "../target.ts";

const contextLength = 77;

/** Texts that take the paths of ftfy, of entities, of graphemes and of special tokens. */
const fragments = [
  "Ã©",
  "â€™",
  "â€œ",
  "Ãƒ",
  "ðŸ˜€",
  "&amp;",
  "&#x1F600;",
  "&amp;amp;lt;",
  "&notit;",
  "&#xD800;",
  "&#99999999999;",
  "\u0301",
  "\u200d",
  "👩‍👩‍👧‍👦",
  "🇩🇪🇫",
  "ﬁ",
  "ſ",
  "İ",
  "\ufeff",
  "\u001b[31m",
  "\r\n",
  "</s>",
  "<mask>",
  "<|endoftext|>",
  "'s 'LL",
  "猫",
  "ｶﾞ",
  "각",
  "ะ",
  "ก็",
  "\ud83d",
  "\udc00",
  "▁",
  "  ",
  "don’t",
  "0123456789",
];

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({
    unit: fc.integer({ min: 0x80, max: 0x2ff }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  }),
  fc.array(fc.constantFrom(...fragments), { maxLength: 20 }).map((parts) => parts.join("")),
);

function encode(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "utf16le"));
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf16le");
}

const newText: Mutation = (_input, random) =>
  encode(fc.sample(anyText, { seed: random.uint32() | 0, numRuns: 1 })[0]!);

const withFragment: Mutation = (input, random) => {
  const text = decode(input);
  const at = random.below(text.length + 1);
  return encode(text.slice(0, at) + random.pick(fragments).repeat(times(random)) + text.slice(at));
};

/** Long repetitions show where the time grows with the square of the length. */
function times(random: Random): number {
  return random.chance(0.05) ? random.below(2000) : 1 + random.below(3);
}

export const create: CreateTarget = async () => {
  const options = { contextLength };
  const tokenizers = await Promise.all([
    createTokenizer({ name: "tokenizer.json", bytes: readFixture("tokenizer/tokenizer.json") }, options),
    createTokenizer(
      { name: "sentencepiece.bpe.model", bytes: readFixture("tokenizer/sentencepiece.bpe.model") },
      options,
    ),
    createTokenizer(
      { name: "m.txt.gz", bytes: readFileSync(`${packageRoot}assets/bpe-merges.txt.gz`) },
      options,
    ),
  ]);
  return {
    seeds: ["", "a photo of a cat", "une photo d’un chat", "猫の写真", ...fragments].map(encode),
    mutations: [newText, newText, withFragment],
    run(input) {
      const text = decode(input);
      for (const [name, clean] of Object.entries(cleaners)) {
        if (typeof clean(text) !== "string") throw new Error(`${name}: no text`);
      }
      for (const tokenizer of tokenizers) {
        const { ids, pieces } = tokenizer.tokenize(text);
        if (ids.join() !== tokenizer.encode(text).join()) throw new Error("encode and tokenize differ");
        if (ids.length < 2 || ids.length > contextLength || pieces.length !== ids.length)
          throw new Error("a wrong length");
        if (!ids.every((id) => id >= 0 && id < tokenizer.vocabSize))
          throw new Error("an id outside the vocabulary");
      }
      return Promise.resolve("ids");
    },
    maxSize: 32_768,
  };
};
