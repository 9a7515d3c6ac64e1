import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";
import type { Tokenizer } from "../../../lib/text/tokenizer.ts";
import { fixture } from "../../support/paths.ts";
import { readTable } from "../../support/tables.ts";

interface Row {
  readonly text: string;
  readonly ids: readonly number[];
}

interface OptionRow extends Row {
  readonly options: { readonly clean?: "lower" | "canonicalize"; readonly strip_sep_token?: boolean };
}

const contextLength = 77;

function load(path: string, length = contextLength): Promise<Tokenizer> {
  return createTokenizer({ name: path, bytes: readFileSync(path) }, { contextLength: length });
}

function assertRows(tokenizer: Tokenizer, rows: readonly Row[]): void {
  const wrong = rows.map((row) => ({ ...row, found: tokenizer.encode(row.text) }));
  assert.deepEqual(
    wrong.filter(({ ids, found }) => ids.join() !== found.join()),
    [],
  );
}

describe("UnigramTokenizer, tokenizer_kwargs", () => {
  it("gives open_clip's ids with other cleaners and with strip_sep_token", async () => {
    const name = fixture("tokenizer/tokenizer.json");
    const bytes = readFileSync(name);
    const tokenizers = new Map<string, Tokenizer>();
    const rows = readTable<OptionRow>("tokenizer/option_ids.jsonl");
    assert.ok(rows.length >= 500, `expected the whole table, found ${rows.length} rows`);
    for (const { text, options, ids } of rows) {
      const { clean = "whitespace", strip_sep_token: stripSeparator = false } = options;
      const key = JSON.stringify(options);
      const tokenizer =
        tokenizers.get(key) ??
        (await createTokenizer({ name, bytes }, { contextLength, clean, stripSeparator }));
      tokenizers.set(key, tokenizer);
      assert.deepEqual(tokenizer.encode(text), ids, `${key} ${JSON.stringify(text)}`);
    }
    assert.equal(tokenizers.size, 3);
  });
});

for (const name of ["sentencepiece.bpe.model", "tokenizer.json"]) {
  describe(`UnigramTokenizer, ${name}`, () => {
    let tokenizer: Tokenizer;

    before(async () => {
      tokenizer = await load(fixture(`tokenizer/${name}`));
    });

    it("gives open_clip's ids for every text of the table", () => {
      const rows = readTable<Row>("tokenizer/ids.jsonl");
      assert.ok(rows.length >= 700, `expected the whole table, found ${rows.length} rows`);
      assertRows(tokenizer, rows);
    });

    it("returns the cleaned text and one piece per id", () => {
      const { cleaned, pieces, ids } = tokenizer.tokenize(" a  cat &amp; <mask> ☃ ");
      assert.equal(cleaned, "a cat & <mask> ☃");
      assert.deepEqual(pieces, ["<s>", "▁a", "▁cat", "▁", "&", "<mask>", "▁", "<unk>", "</s>"]);
      assert.deepEqual(ids, tokenizer.encode(" a  cat &amp; <mask> ☃ "));
      assert.equal(ids.length, pieces.length);
    });

    it("encodes a blank text as <s></s>", () => {
      for (const text of ["", " \n\t", "\u3000", "&nbsp;", "\ufeff"])
        assert.deepEqual(tokenizer.encode(text), [0, 2]);
    });

    it("has XLM-R's special ids", () => {
      assert.equal(tokenizer.padId, 1);
      assert.equal(tokenizer.contextLength, contextLength);
      const mask = tokenizer.vocabSize - 1;
      assert.deepEqual(tokenizer.encode("<pad><unk></s><s><mask>"), [0, 1, 3, 2, 0, mask, 2]);
    });

    it("cuts to the context length and keeps </s>", async () => {
      const long = "a cat and a dog ".repeat(50);
      const whole = (await load(fixture(`tokenizer/${name}`), 1000)).encode(long);
      for (const length of [2, 3, 10, 77]) {
        const ids = (await load(fixture(`tokenizer/${name}`), length)).encode(long);
        assert.deepEqual(ids, [...whole.slice(0, length - 1), 2]);
      }
    });

    it("encodes a word of 300,000 characters within the time limit", () => {
      assert.equal(tokenizer.encode("猫".repeat(300_000)).length, contextLength);
    });
  });
}

// Optional, with XLM-R's own vocabulary: a folder with sentencepiece.bpe.model or tokenizer.json, and with ids.jsonl,
// which has one { "text", "ids" } per line.
const realFolder = process.env["CLIPSCOPE_XLMR"];

if (realFolder !== undefined) {
  describe("UnigramTokenizer, XLM-R's own vocabulary (CLIPSCOPE_XLMR)", () => {
    const names = ["sentencepiece.bpe.model", "tokenizer.json"].filter((name) =>
      existsSync(`${realFolder}/${name}`),
    );

    it("finds a tokenizer in the folder", () => {
      assert.notDeepEqual(names, [], `no sentencepiece.bpe.model or tokenizer.json in ${realFolder}`);
    });

    for (const name of names) {
      it(`gives open_clip's ids for every text of ids.jsonl, ${name}`, async () => {
        const tokenizer = await load(`${realFolder}/${name}`);
        assert.equal(tokenizer.vocabSize, 250_002);
        assert.deepEqual(tokenizer.encode("Hello world!"), [0, 35378, 8999, 38, 2]);
        const lines = readFileSync(`${realFolder}/ids.jsonl`, "utf8").split("\n").filter(Boolean);
        assert.notEqual(lines.length, 0);
        assertRows(
          tokenizer,
          lines.map((line) => JSON.parse(line) as Row),
        );
      });
    }
  });
}
