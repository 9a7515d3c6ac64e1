import assert from "node:assert/strict";
import { WordPiece } from "../../../lib/text/wordpiece/wordpiece.ts";

describe("WordPiece", () => {
  const pieces = ["[UNK]", "un", "##aff", "##able", "##a", "unaffa", "##𠮷", "##ble"];
  const wordPiece = new WordPiece(new Map(pieces.map((piece, id) => [piece, id])), 0, 8);
  const encode = (word: string): number[] => {
    const ids = [99];
    wordPiece.encode(word, ids);
    return ids.slice(1);
  };

  it("takes the longest piece first, from the left", () => {
    assert.deepEqual(encode("unaff"), [1, 2]);
    assert.deepEqual(encode("unaffa"), [5]);
    assert.deepEqual(encode("unable"), [1, 3]);
  });

  it("is one unknown piece if a part of the word has no piece, even after others", () => {
    assert.deepEqual(encode("unx"), [0]);
    assert.deepEqual(encode("aff"), [0]);
  });

  it("counts the longest word in characters, not in UTF-16 units", () => {
    assert.deepEqual(encode("un𠮷𠮷𠮷𠮷𠮷𠮷"), [1, 6, 6, 6, 6, 6, 6]);
    assert.deepEqual(encode("un𠮷𠮷𠮷𠮷𠮷𠮷𠮷"), [0]);
  });
});
