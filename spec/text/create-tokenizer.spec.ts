import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { InputError } from "../../lib/errors/input-error.ts";
import { createTokenizer } from "../../lib/text/create-tokenizer.ts";
import { fixture, packageRoot } from "../support/paths.ts";
import { assertRefused } from "../support/tokenizer-files.ts";

const paths = [
  fixture("tokenizer/tokenizer.json"),
  fixture("tokenizer/sentencepiece.bpe.model"),
  fixture("wordpiece/tokenizer.json"),
  fixture("wordpiece/vocab.txt"),
  fixture("rinna/spiece.model"),
  `${packageRoot}assets/bpe-merges.txt.gz`,
];

describe("createTokenizer", () => {
  it("selects the format by the file's name", async () => {
    const starts = paths.map(async (path) => {
      const tokenizer = await createTokenizer(
        { name: path, bytes: readFileSync(path) },
        { contextLength: 77 },
      );
      return tokenizer.tokenize("a").pieces[0];
    });
    assert.deepEqual(await Promise.all(starts), ["<s>", "<s>", "[CLS]", "[CLS]", "[CLS]", "<start_of_text>"]);
  });

  it("refuses other names", async () => {
    await assertRefused(
      "vocab.xyz",
      new Uint8Array(0),
      /ends in one of tokenizer\.json, sentencepiece\.bpe\.model/,
    );
  });

  it("refuses a context length without room for the start and end tokens", async () => {
    for (const path of paths) {
      for (const contextLength of [1, 0, -5, 2.5, NaN]) {
        const file = { name: path, bytes: readFileSync(path) };
        await assert.rejects(createTokenizer(file, { contextLength }), InputError);
      }
    }
  });
});
