/** BERT's tokenizer against cn_clip's Python and Hugging Face's Rust; the tables are of tools/golden/wordpiece_tables.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";
import type { Tokenizer, TokenizerOptions } from "../../../lib/text/tokenizer.ts";
import { fixture } from "../../support/paths.ts";
import { readTable } from "../../support/tables.ts";
import { publishedTokenizers } from "../../support/tokenizer-files.ts";

interface Row {
  readonly text: string;
  readonly cnClip: readonly number[];
  readonly bert: readonly number[];
}

const load = (name: string, options: Partial<TokenizerOptions> = {}): Promise<Tokenizer> =>
  createTokenizer({ name, bytes: readFileSync(name) }, { contextLength: 52, clean: "none", ...options });

function assertRows(tokenizer: Tokenizer, rows: readonly Row[], column: "cnClip" | "bert"): void {
  for (const row of rows) assert.deepEqual(tokenizer.encode(row.text), row[column], JSON.stringify(row.text));
}

describe("WordPieceTokenizer", () => {
  const rows = readTable<Row>("wordpiece/ids.jsonl");
  const [vocabTxt, json] = [fixture("wordpiece/vocab.txt"), fixture("wordpiece/tokenizer.json")];

  it("gives cn_clip's ids from vocab.txt", async () => {
    assert.ok(rows.length > 800, `${rows.length} rows`);
    assertRows(await load(vocabTxt, { dialect: "cn-clip" }), rows, "cnClip");
  });

  for (const file of [vocabTxt, json]) {
    it(`gives Hugging Face's ids from ${file.endsWith("json") ? "tokenizer.json" : "vocab.txt"}`, async () => {
      assertRows(await load(file), rows, "bert");
    });
  }

  it("is tested with texts in which the two differ", () => {
    const differing = rows.filter(({ cnClip, bert }) => cnClip.join() !== bert.join());
    assert.ok(differing.length >= 6, `${differing.length} rows`);
  });

  it("cleans as the options say, and returns one piece per id", async () => {
    const whitespace = await load(json, { clean: "whitespace" });
    assert.equal(whitespace.tokenize("“a”").cleaned, '"a"');
    const { cleaned, pieces, ids } = (await load(json)).tokenize("“a” cat[MASK]");
    assert.equal(cleaned, "“a” cat[MASK]");
    assert.deepEqual(pieces, ["[CLS]", "“", "a", "”", "cat", "[MASK]", "[SEP]"]);
    assert.equal(ids.length, pieces.length);
    assert.deepEqual([whitespace.padId, whitespace.contextLength], [0, 52]);
  });

  it("replaces [SEP] by 0 on request", async () => {
    const stripped = await load(json, { stripSeparator: true });
    assert.deepEqual(stripped.encode("a[SEP]").slice(2), [0, 0]);
  });

  it("keeps [SEP] within the context, whatever the text", async () => {
    const tokenizers = [await load(json), await load(vocabTxt, { dialect: "cn-clip" })];
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        for (const tokenizer of tokenizers) {
          const ids = tokenizer.encode(text);
          assert.ok(ids.length <= 52 && ids[0] === 2 && ids.at(-1) === 3);
          assert.ok(ids.every((id) => id >= 0 && id < tokenizer.vocabSize));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("encodes a word of 300,000 characters within the time limit", async () => {
    assert.deepEqual((await load(json)).encode("x".repeat(300_000)), [2, 1, 3]);
  }).timeout(2000);
});

const published = publishedTokenizers();
if (published !== undefined) {
  describe("WordPieceTokenizer, Chinese-CLIP's own vocabulary (CLIPSCOPE_TOKENIZERS)", () => {
    const rows = readTable<Row>("wordpiece/published_ids.jsonl");
    const name = `${published}/bert-chinese-vocab.txt`;

    it("gives cn_clip's ids", async () => {
      assertRows(await load(name, { dialect: "cn-clip", vocabSize: 21_128 }), rows, "cnClip");
    });

    it("gives Hugging Face's ids", async () => {
      assertRows(await load(name), rows, "bert");
    });
  });
}
