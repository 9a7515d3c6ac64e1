import assert from "node:assert/strict";
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";
import { assertRefused } from "../../support/tokenizer-files.ts";

const name = "vocab.txt";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";

describe("readVocabTxt", () => {
  it("numbers the lines, which end at line feeds alone", async () => {
    const file = { name, bytes: bytes(`${special}\u2028\na\r\n##b\n`) };
    const tokenizer = await createTokenizer(file, { contextLength: 9 });
    assert.equal(tokenizer.vocabSize, 7);
    assert.deepEqual(tokenizer.encode("ab a"), [2, 5, 6, 5, 3]);
  });

  it("refuses files that are cut off, by the rows of the word table", async () => {
    const file = { name, bytes: bytes(`${special}a\n`) };
    await assert.rejects(
      createTokenizer(file, { contextLength: 9, vocabSize: 7 }),
      /vocab\.txt: expected 7 lines, .* found 5; download/,
    );
  });

  it("refuses other files", async () => {
    await assertRefused(name, bytes("a\nb\n"), /expected a line "\[PAD\]", found none in 2 lines/);
    await assertRefused(name, bytes(`${special}\na\n`), /expected a piece in line 5, found nothing/);
    await assertRefused(name, Uint8Array.of(0xff, 0xfe, 10), /expected UTF-8 text/);
    await assertRefused(name, new Uint8Array(), /expected a line/);
  });
});
