import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";
import type { Tokenizer } from "../../../lib/text/tokenizer.ts";
import { packageRoot } from "../../support/paths.ts";
import { readTable } from "../../support/tables.ts";

const name = "bpe-merges.txt.gz";
const gzipped = new Uint8Array(readFileSync(`${packageRoot}assets/${name}`));

function create(bytes: Uint8Array, contextLength = 77): Promise<Tokenizer> {
  return createTokenizer({ name, bytes }, { contextLength });
}

describe("BpeTokenizer", () => {
  it("gives open_clip's ids for every text of the table", async () => {
    const tokenizer = await create(gzipped);
    const rows = readTable<{ text: string; ids: number[] }>("tokenizer/bpe_ids.jsonl");
    assert.ok(rows.length >= 600, `expected the whole table, found ${rows.length} rows`);
    const wrong = rows.map((row) => ({ ...row, found: tokenizer.encode(row.text) }));
    assert.deepEqual(
      wrong.filter(({ ids, found }) => ids.join() !== found.join()),
      [],
    );
  });

  it("returns the cleaned text and one piece per id", async () => {
    const tokenizer = await create(gzipped);
    assert.deepEqual(tokenizer.tokenize("  A photo of\na Café &amp; "), {
      cleaned: "a photo of a café &",
      pieces: [
        "<start_of_text>",
        "a</w>",
        "photo</w>",
        "of</w>",
        "a</w>",
        "cafÃ©</w>",
        "&</w>",
        "<end_of_text>",
      ],
      ids: [49406, 320, 1125, 539, 320, 15304, 261, 49407],
    });
    assert.equal(tokenizer.vocabSize, 49408);
    assert.equal(tokenizer.padId, 0);
  });

  it("encodes a blank text as its start and end, and cuts a long text", async () => {
    assert.deepEqual((await create(gzipped)).encode(" \n"), [49406, 49407]);
    assert.deepEqual((await create(gzipped, 4)).encode("a photo of a cat"), [49406, 320, 1125, 49407]);
  });

  it("encodes a word of 90,000 characters within the time limit", async () => {
    const tokenizer = await create(gzipped);
    assert.equal(tokenizer.encode("tokenizer".repeat(10_000)).length, 77);
  });
});
