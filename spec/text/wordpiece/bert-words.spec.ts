import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  cnClipWords,
  huggingFaceWords,
  uncased,
  type SplitWords,
} from "../../../lib/text/wordpiece/bert-words.ts";
import { fixture } from "../../support/paths.ts";

/** Of tools/golden/wordpiece_tables.py: what becomes of the characters from `first` to `last` between a and b. */
type Run = readonly [first: number, last: number, result: string];
const runs = JSON.parse(readFileSync(fixture("wordpiece/characters.json"), "utf8")) as Record<string, Run[]>;

/** A mark in the Unicode 14 of the Python that made the table, and not later. */
const recategorised = 0x1171e;

function resultOf(words: readonly string[]): string {
  if (words.join("|") === "ab") return "dropped";
  if (words.join("|") === "a|b") return "space";
  if (words.length === 3 && words[0] === "a" && words[2] === "b") return "word";
  return words.length === 1 ? "inside" : "other";
}

const dialects: Readonly<Record<string, SplitWords>> = {
  cnClip: cnClipWords,
  bert: huggingFaceWords(uncased),
};

for (const [name, words] of Object.entries(dialects)) {
  describe(`BERT's words: ${name}`, () => {
    it("treat every assigned character as the original does", () => {
      const wrong: string[] = [];
      let count = 0;
      for (const [first, last, expected] of runs[name]!) {
        for (let code = first; code <= last; code++, count++) {
          if (code === recategorised && name === "cnClip") continue;
          const result = resultOf(words(`a${String.fromCodePoint(code)}b`));
          if (result !== expected) wrong.push(`U+${code.toString(16)} ${result}, expected ${expected}`);
        }
      }
      assert.deepEqual(wrong, []);
      assert.ok(count > 280_000, `${count} characters`);
    });
  });
}

describe("cnClipWords and huggingFaceWords", () => {
  const bert = huggingFaceWords(uncased);

  it("differ in a final sigma", () => {
    // A full stop inside a word does not end it.
    assert.deepEqual(cnClipWords("ΣΟΣ,ΣΟΣ.Α"), ["σος", ",", "σοσ", ".", "α"]);
    assert.deepEqual(bert("ΣΟΣ,ΣΟΣ.Α"), ["σοσ", ",", "σοσ", ".", "α"]);
  });

  it("keep case, accents and Chinese words if the options say so", () => {
    const kept = { cleanText: false, handleChinese: false, stripAccents: false, lowercase: false };
    assert.deepEqual(huggingFaceWords(kept)("Caffè 中文\0!"), ["Caffè", "中文\0", "!"]);
    assert.deepEqual(huggingFaceWords({ ...kept, stripAccents: true })("Caffè"), ["Caffe"]);
    assert.deepEqual(huggingFaceWords({ ...kept, handleChinese: true })("中文x"), ["中", "文", "x"]);
    assert.deepEqual(huggingFaceWords({ ...kept, cleanText: true })("a\0\u0085b\u2028c"), ["ab", "c"]);
  });
});
