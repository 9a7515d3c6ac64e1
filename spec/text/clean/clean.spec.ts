import assert from "node:assert/strict";
import { clean, cleanLower } from "../../../lib/text/clean/clean.ts";
import { readTable } from "../../support/tables.ts";

describe("tokenizer: clean", () => {
  it("equals open_clip's cleaning for every text of the table", () => {
    const rows = readTable<{ text: string; cleaned: string }>("tokenizer/cleaning.jsonl");
    assert.ok(rows.length >= 1000, `expected the whole table, found ${rows.length} rows`);
    const wrong = rows.filter(({ text, cleaned }) => clean(text) !== cleaned);
    assert.deepEqual(
      wrong.map(({ text, cleaned }) => ({ text, cleaned: clean(text), expected: cleaned })),
      [],
    );
  });

  it("takes Python's white space for white space, not JavaScript's", () => {
    // ftfy has removed the other ASCII separators as controls, and U+0085 is an ellipsis in Windows-1252.
    assert.equal(clean("a\u00a0\u3000b\u2003\u2028c\t"), "a b c");
    assert.equal(clean("&#x1680;a&#x202f;b"), "a b");
    assert.equal(clean("a\u200bb\u180ec"), "a\u200bb\u180ec");
  });

  it("repairs mojibake, layer by layer", () => {
    assert.equal(clean("schÃ¶n"), "schön");
    assert.equal(clean("ÃƒÂ©tÃƒÂ©"), "été");
    assert.equal(clean("naïve café"), "naïve café");
  });

  it("unescapes entities twice behind ftfy, and leaves ftfy's to markup", () => {
    assert.equal(clean("&amp;amp;lt;"), "<");
    assert.equal(clean("<i> P&EACUTE;REZ"), "<i> P&EACUTE;REZ");
    assert.equal(clean("P&EACUTE;REZ"), "PÉREZ");
  });

  it("cuts lines longer than a million characters where ftfy does", () => {
    // The cut falls into the entity, and what is left of it is none.
    const text = `${"x".repeat(999_998)}&EACUTE;`;
    assert.equal(clean(text), text);
    assert.equal(clean(`${"x".repeat(999_990)}&EACUTE;`), `${"x".repeat(999_990)}É`);
  });

  it("lowers case for the English models", () => {
    assert.equal(cleanLower("  ΟΔΟΣ  ÉTÉ\n"), "οδος été");
  });
});
