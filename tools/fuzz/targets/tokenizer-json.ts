/** tokenizer.json. */
import { json, readFixture } from "../fixtures.ts";
import { useTokenizer } from "../formats/tokenize.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import type { CreateTarget } from "../target.ts";

interface Tokenizer {
  readonly added_tokens: readonly { readonly id: number }[];
  readonly model: { readonly vocab: readonly unknown[] };
}

export const create: CreateTarget = () => {
  const whole = JSON.parse(new TextDecoder().decode(readFixture("tokenizer/tokenizer.json"))) as Tokenizer;
  // Of a few kilobytes: without the table of characters, and with few pieces.
  const [vocabulary, mask] = [whole.model.vocab.slice(0, 60), whole.added_tokens.at(-1)!];
  const added = [...whole.added_tokens.slice(0, -1), { ...mask, id: vocabulary.length }];
  const small = {
    ...whole,
    added_tokens: added,
    normalizer: null,
    model: { ...whole.model, vocab: [...vocabulary, ["<mask>", 0]] },
  };
  const nmt = {
    type: "Sequence",
    normalizers: [
      { type: "Nmt" },
      { type: "NFKC" },
      { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
    ],
  };
  const bert = JSON.parse(new TextDecoder().decode(readFixture("wordpiece/tokenizer.json"))) as {
    readonly model: { readonly vocab: Readonly<Record<string, number>> };
  };
  const pieces = Object.entries(bert.model.vocab).filter(([, id]) => id < 60);
  return {
    seeds: [
      json({ ...bert, model: { ...bert.model, vocab: Object.fromEntries(pieces) } }),
      json(small),
      json({ ...small, normalizer: nmt }),
      json({ ...small, normalizer: { type: "Precompiled", precompiled_charsmap: "BAAAAAAAAAAAYQA=" } }),
      json({
        ...small,
        truncation: { direction: "Right", max_length: 77, strategy: "LongestFirst", stride: 0 },
      }),
    ],
    mutations: [mutateJson, mutateJson, mutateJson, duplicateKey],
    run: (input) => useTokenizer("tokenizer.json", input),
    maxSize: 16_384,
  };
};
