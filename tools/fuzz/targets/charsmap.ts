/** SentencePiece's table of characters, whole: a trie and the texts that replace characters. */
import { Charsmap } from "../../../lib/text/unigram/charsmap.ts";
import { readFixture } from "../fixtures.ts";
import type { CreateTarget } from "../target.ts";

export const create: CreateTarget = () => {
  const { normalizer } = JSON.parse(new TextDecoder().decode(readFixture("tokenizer/tokenizer.json"))) as {
    normalizer: { precompiled_charsmap: string };
  };
  return {
    seeds: [new Uint8Array(Buffer.from(normalizer.precompiled_charsmap, "base64"))],
    mutations: [],
    run: read,
    maxSize: 400_000,
  };
};

function read(input: Uint8Array): Promise<string> {
  const charsmap = new Charsmap("model", input);
  charsmap.normalize("ﬁ Å´\u0301 猫 ｶﾞ ½ \u200b ①");
  return Promise.resolve("a table");
}
