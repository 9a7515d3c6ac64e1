import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { createBpeTokenizer } from "../../../lib/text/bpe/bpe-tokenizer.ts";
import type { Tokenizer } from "../../../lib/text/tokenizer.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { packageRoot } from "../../support/paths.ts";
import { readTable } from "../../support/tables.ts";

const name = "bpe-merges.txt.gz";
const gzipped = new Uint8Array(readFileSync(`${packageRoot}assets/${name}`));

function create(bytes: Uint8Array, contextLength = 77): Promise<Tokenizer> {
  return createBpeTokenizer({ name, bytes }, { contextLength });
}

describe("createBpeTokenizer", () => {
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

  it("gives a piece for each id, and the cleaned text", async () => {
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

  it("makes start and end of a blank text, and cuts a long one", async () => {
    assert.deepEqual((await create(gzipped)).encode(" \n"), [49406, 49407]);
    assert.deepEqual((await create(gzipped, 4)).encode("a photo of a cat"), [49406, 320, 1125, 49407]);
  });

  it("reads the file unpacked, and with the lines that are not used", async () => {
    const plain = gunzipSync(gzipped);
    const longer = Buffer.concat([plain, Buffer.from("more lines\nthan needed\n")]);
    const expected = (await create(gzipped)).encode("an unpacked tokenizer");
    for (const bytes of [plain, longer, gzipSync(longer)]) {
      assert.deepEqual((await create(new Uint8Array(bytes))).encode("an unpacked tokenizer"), expected);
    }
  });

  it("stays quick on a word without end", async () => {
    const tokenizer = await create(gzipped);
    assert.equal(tokenizer.encode("tokenizer".repeat(10_000)).length, 77);
  });

  it("refuses damaged files", async () => {
    const plain = new Uint8Array(gunzipSync(gzipped));
    const text = new TextDecoder().decode(plain);
    const encode = (changed: string): Uint8Array => new TextEncoder().encode(changed);
    const damaged: (readonly [Uint8Array, RegExp])[] = [
      [new Uint8Array(0), /found 0/],
      [gzipped.subarray(0, 1000), /UTF-8 text, gzipped or not/],
      [Uint8Array.of(0x1f, 0x8b, 1, 2, 3), /UTF-8 text, gzipped or not/],
      [Uint8Array.of(0xff, 0xfe), /UTF-8 text, gzipped or not/],
      [plain.subarray(0, 5000), /two known pieces|48894 merges/],
      [encode(text.replace("\ni n\n", "\ni n g\n")), /line 2/],
      [encode(text.replace("\ni n\n", "\ni\n")), /line 2/],
      [encode(text.replace("\ni n\n", "\ni 漢\n")), /line 2/],
      [new Uint8Array(gzipSync(new Uint8Array(64 * 1024 * 1024))), /UTF-8 text, gzipped or not/],
    ];
    for (const [bytes, pattern] of damaged) {
      await assert.rejects(
        create(bytes),
        (error) => error instanceof InputError && pattern.test(error.message),
      );
    }
    await assert.rejects(create(gzipped, 1), InputError);
  });
});
