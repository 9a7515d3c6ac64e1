import assert from "node:assert/strict";
import { clean, cleanLower } from "../../../lib/text/clean/clean.ts";
import { readTable } from "../../support/tables.ts";

describe("clean", () => {
  it("follows open_clip step by step", () => {
    // ftfy repairs the mojibake (é) and the quotes, HTML is unescaped twice (&amp;amp; → &amp; → &), spaces collapse.
    assert.equal(clean("  “CafÃ©” &amp;amp;\n tea "), '"Café" & tea');
  });

  it("equals open_clip's cleaning for every text of the table", () => {
    const rows = readTable<{ text: string; cleaned: string }>("tokenizer/cleaning.jsonl");
    assert.ok(rows.length >= 1000, `expected the whole table, found ${rows.length} rows`);
    const wrong = rows.filter(({ text, cleaned }) => clean(text) !== cleaned);
    assert.deepEqual(
      wrong.map(({ text, cleaned }) => ({ text, cleaned: clean(text), expected: cleaned })),
      [],
    );
  });

  it("splits at Python's white space, not at JavaScript's", () => {
    // ftfy removes the other ASCII separators as control characters, and U+0085 is an ellipsis in Windows-1252.
    assert.equal(clean("a\u00a0\u3000b\u2003\u2028c\t"), "a b c");
    assert.equal(clean("&#x1680;a&#x202f;b"), "a b");
    assert.equal(clean("a\u200bb\u180ec"), "a\u200bb\u180ec");
  });

  it("repairs mojibake that was encoded several times", () => {
    assert.equal(clean("schÃ¶n"), "schön");
    assert.equal(clean("ÃƒÂ©tÃƒÂ©"), "été");
    assert.equal(clean("naïve café"), "naïve café");
  });

  it("unescapes entities twice after ftfy, which leaves entities in markup alone", () => {
    assert.equal(clean("&amp;amp;lt;"), "<");
    assert.equal(clean("<i> P&EACUTE;REZ"), "<i> P&EACUTE;REZ");
    assert.equal(clean("P&EACUTE;REZ"), "PÉREZ");
  });

  it("splits lines of more than a million characters where ftfy does", () => {
    // The split falls inside the entity, so neither part is one.
    const text = `${"x".repeat(999_998)}&EACUTE;`;
    assert.equal(clean(text), text);
    assert.equal(clean(`${"x".repeat(999_990)}&EACUTE;`), `${"x".repeat(999_990)}É`);
  });

  it("converts to lower case for the English models", () => {
    assert.equal(cleanLower("  ΟΔΟΣ  ÉTÉ\n"), "οδος été");
  });
});
