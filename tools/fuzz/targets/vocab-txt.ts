/** BERT's vocab.txt, for both of its readers. */
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";
import { readFixture } from "../fixtures.ts";
import { useTokenizer } from "../formats/tokenize.ts";
import { mutateBytes } from "../mutate-bytes.ts";
import type { CreateTarget } from "../target.ts";

export const create: CreateTarget = () => {
  const whole = new TextDecoder().decode(readFixture("wordpiece/vocab.txt"));
  const lines = whole.split("\n").slice(0, 300);
  return {
    seeds: [lines, lines.slice(0, 40)].map((some) => new TextEncoder().encode(`${some.join("\n")}\n`)),
    mutations: [mutateBytes],
    async run(input) {
      const file = { name: "vocab.txt", bytes: input };
      const tokenizer = await createTokenizer(file, { contextLength: 9, dialect: "cn-clip" });
      tokenizer.tokenize("一只猫 ΣΑΣ, cat\u0301");
      return useTokenizer("vocab.txt", input);
    },
    maxSize: 16_384,
  };
};
