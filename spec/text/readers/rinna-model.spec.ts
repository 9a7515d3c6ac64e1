/** rinna's tokenizer against SentencePiece itself; the tables are of tools/golden/wordpiece_tables.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";
import type { Tokenizer } from "../../../lib/text/tokenizer.ts";
import { fixture } from "../../support/paths.ts";
import { readTable } from "../../support/tables.ts";
import { assertHarmless, assertRefused, publishedTokenizers } from "../../support/tokenizer-files.ts";

const name = fixture("rinna/spiece.model");
const load = (file: string): Promise<Tokenizer> =>
  createTokenizer({ name: file, bytes: readFileSync(file) }, { contextLength: 77, clean: "none" });

describe("readRinnaModel", () => {
  it("gives SentencePiece's ids of the text in lower case, after [CLS] and without an end", async () => {
    const tokenizer = await load(name);
    const rows = readTable<{ text: string; ids: number[] }>("rinna/ids.jsonl");
    assert.ok(rows.length > 800, `${rows.length} rows`);
    for (const { text, ids } of rows) assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
    assert.deepEqual([tokenizer.padId, tokenizer.encode("")], [3, [4]]);
  });

  it("cuts to 76 pieces after [CLS]", async () => {
    const ids = (await load(name)).encode("犬 ".repeat(100));
    assert.equal(ids.length, 77);
  });

  it("refuses XLM-R's model and damaged files", async () => {
    const xlmr = new Uint8Array(readFileSync(fixture("tokenizer/sentencepiece.bpe.model")));
    await assertRefused(
      "spiece.model",
      xlmr,
      /expected the special piece \[PAD\] with the id 3.*japanese-roberta-base/,
    );
    const whole = new Uint8Array(readFileSync(name));
    for (let end = 0; end < whole.length; end += 9973) {
      await assertRefused("spiece.model", whole.slice(0, end));
      const changed = whole.slice();
      changed[end] = (changed[end] ?? 0) ^ 0x55;
      await assertHarmless("spiece.model", changed);
    }
  });
});

const published = publishedTokenizers();
if (published !== undefined) {
  describe("readRinnaModel, rinna's own vocabulary (CLIPSCOPE_TOKENIZERS)", () => {
    let tokenizer: Tokenizer;

    before(async () => {
      tokenizer = await load(`${published}/rinna-roberta.spiece.model`);
    });

    it("gives SentencePiece's ids", () => {
      const rows = readTable<{ text: string; rinna: number[] }>("wordpiece/published_ids.jsonl");
      for (const { text, rinna } of rows)
        assert.deepEqual(tokenizer.encode(text), rinna, JSON.stringify(text));
    });

    it("gives the ids of rinna's README", () => {
      assert.deepEqual(tokenizer.encode("犬"), [4, 9, 1651]);
      assert.deepEqual(tokenizer.encode("猫"), [4, 9, 4324]);
      assert.deepEqual(tokenizer.encode("象"), [4, 9, 6378]);
      const sentence = "4年に1度オリンピックは開かれる。";
      assert.deepEqual(tokenizer.encode(sentence), [4, 1602, 44, 24, 368, 1462, 11, 21583, 8]);
    });
  });
}
