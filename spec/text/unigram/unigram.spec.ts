import assert from "node:assert/strict";
import { Unigram } from "../../../lib/text/unigram/unigram.ts";
import { Vocabulary } from "../../../lib/text/unigram/vocabulary.ts";

/** A model whose piece 0 is the unknown one. */
function unigram(pieces: Readonly<Record<string, number>>): Unigram {
  const vocabulary = new Vocabulary(1, 1);
  vocabulary.add("<unk>", 0);
  for (const [piece, score] of Object.entries(pieces)) vocabulary.add(piece, score);
  return new Unigram(vocabulary, 0);
}

function encode(model: Unigram, word: string): number[] {
  const ids: number[] = [];
  model.encode(word, ids);
  return ids;
}

describe("Unigram", () => {
  it("splits a word into the pieces with the highest sum of scores", () => {
    const model = unigram({ "▁": -2, c: -3, a: -2, t: -2.5, "▁c": -4, at: -3, cat: -6 });
    // ▁ + cat = -8; ▁ + c + at = -8; ▁c + at = -7, the highest; ▁c + a + t = -8.5.
    assert.deepEqual(encode(model, "▁cat"), [5, 6]);
  });

  it("keeps the split found first if sums are equal", () => {
    // ab + c and a + bc both sum to -3. The split into ab + c is found last.
    const model = unigram({ a: -1, ab: -2, c: -1, bc: -2 });
    assert.deepEqual(encode(model, "abc"), [1, 4]);
  });

  it("joins adjacent unknown characters into one unknown piece", () => {
    const model = unigram({ a: -1, b: -1 });
    assert.deepEqual(encode(model, "a猫犬b😀"), [1, 0, 2, 0]);
  });
});
