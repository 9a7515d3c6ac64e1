import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { readMerges, type Merges } from "../../../lib/text/readers/merges.ts";
import { packageRoot } from "../../support/paths.ts";
import { assertRefused } from "../../support/tokenizer-files.ts";

const name = "bpe-merges.txt.gz";
const gzipped = new Uint8Array(readFileSync(`${packageRoot}assets/${name}`));

function read(bytes: Uint8Array): Promise<Merges> {
  return readMerges({ name, bytes });
}

describe("readMerges", () => {
  it("reads the pairs in the order of their ranks", async () => {
    const { pairs } = await read(gzipped);
    assert.equal(pairs.length, 48_894);
    assert.deepEqual(pairs.slice(0, 3), [
      ["i", "n"],
      ["t", "h"],
      ["a", "n"],
    ]);
  });

  it("reads the unpacked file, and ignores the lines that the models do not use", async () => {
    const plain = gunzipSync(gzipped);
    const longer = Buffer.concat([plain, Buffer.from("more lines\nthan needed\n")]);
    const expected = await read(gzipped);
    for (const bytes of [plain, longer, gzipSync(longer)]) {
      assert.deepEqual(await read(new Uint8Array(bytes)), expected);
    }
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
    for (const [bytes, pattern] of damaged) await assertRefused(name, bytes, pattern);
  });
});
