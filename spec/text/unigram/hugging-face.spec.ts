import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Tokenizer as HuggingFaceTokenizer } from "tokenizers";
import { clean } from "../../../lib/text/clean/clean.ts";
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";
import { fixture } from "../../support/paths.ts";

interface AddedTokenJson {
  content: string;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
}

interface TokenizerJson {
  added_tokens: AddedTokenJson[];
  normalizer: unknown;
  pre_tokenizer: unknown;
}

const json = readFileSync(fixture("tokenizer/tokenizer.json"), "utf8");
const contextLength = 1000;

/** Creates our tokenizer and Hugging Face's from the same file. */
async function pair(change: (json: TokenizerJson) => void = () => undefined) {
  const changed = JSON.parse(json) as TokenizerJson;
  change(changed);
  const text = JSON.stringify(changed);
  const bytes = new TextEncoder().encode(text);
  return {
    ours: await createTokenizer({ name: "tokenizer.json", bytes }, { contextLength }),
    theirs: HuggingFaceTokenizer.fromString(text),
  };
}

/** Characters that form graphemes, change under normalisation, or are special to a tokenizer. */
const delicate = fc.constantFrom(
  ...Array.from(
    "aeAxﬁẛÅΩ½①㍿´¨ª©®™かハｶ하ᄒ한กक\u0958ع▁🐈👩👍🇮🇹" +
      "\u0300\u0301\u0304\u0308\u030a\u0323\u0338\u0345\u3099\u309a\u0654\u05b7\u093c\u094d\u0e33\u0eb3" +
      "\u1161\u11a8\u200b\u200c\u200d\u200e\ufe0f\u20e3\uff9e\uff9f\u00ad\u0600\u06dd\u{1f3fb}\u{e0020}\u{e007f}" +
      " \n\r\t\u0085\u00a0\u2028\u3000\u0000\ufffd\ufeff\ud800\udc00",
  ),
  ...["<mask>", "<s>", "</s>", "<unk>", "<pad>", "＜mask＞", " <mask> ", "▁▁", "il gatto", "猫と犬", "\r\n"],
);

const texts = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: delicate },
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.string({ unit: "grapheme", maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

async function assertSame({ ours, theirs }: Awaited<ReturnType<typeof pair>>, runs: number): Promise<void> {
  const property = fc.asyncProperty(texts, async (text) => {
    const encoding = await theirs.encode(clean(text));
    assert.deepEqual(ours.encode(text), encoding.getIds());
  });
  await fc.assert(property, { numRuns: runs });
}

describe("UnigramTokenizer and Hugging Face's tokenizer", () => {
  it("give the same ids for any text", async () => {
    await assertSame(await pair(), 2000);
  });

  it("give the same ids with the published tokenizer.json of xlm-roberta-large", async () => {
    const published = await pair((changed) => {
      changed.pre_tokenizer = {
        type: "Sequence",
        pretokenizers: [
          { type: "WhitespaceSplit" },
          { type: "Metaspace", replacement: "▁", str_rep: "▁", add_prefix_space: true },
        ],
      };
      for (const token of changed.added_tokens) token.lstrip = token.content === "<mask>";
    });
    await assertSame(published, 500);
  });

  it("give the same ids with a tokenizer.json converted by transformers 4", async () => {
    for (const content of [" ", "▁"]) {
      const converted = await pair((changed) => {
        changed.normalizer = {
          type: "Sequence",
          normalizers: [
            changed.normalizer,
            { type: "Strip", strip_left: false, strip_right: true },
            { type: "Replace", pattern: { Regex: " {2,}" }, content },
          ],
        };
        changed.pre_tokenizer = { type: "Metaspace", replacement: "▁", prepend_scheme: "always" };
        for (const token of changed.added_tokens) token.lstrip = token.content === "<mask>";
      });
      await assertSame(converted, 500);
    }
  });

  it("give the same ids if added tokens strip white space, before or after normalisation", async () => {
    for (const normalized of [false, true]) {
      const stripping = await pair((changed) => {
        changed.pre_tokenizer = { type: "Metaspace", replacement: "▁", prepend_scheme: "never", split: true };
        for (const token of changed.added_tokens)
          Object.assign(token, { lstrip: true, rstrip: true, normalized });
      });
      await assertSame(stripping, 500);
    }
  });
});
