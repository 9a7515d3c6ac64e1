import assert from "node:assert/strict";
import { splitLines, strip, universalNewlines } from "../../lib/eval/python-text.ts";

/** Printed by Python 3.11: `[c for c in map(chr, range(0x110000)) if len(f"a{c}b".splitlines()) == 2]`. */
const lineBreaks = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029";
/** `[c for c in map(chr, range(0x110000)) if c.isspace()]`, which `strip` takes. */
const spaces =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

/** All characters of the basic plane for which `test` is true. */
function characters(test: (character: string) => boolean): string {
  let found = "";
  for (let code = 0; code < 0x10000; code++) {
    const character = String.fromCharCode(code);
    if (test(character)) found += character;
  }
  return found;
}

describe("texts as in Python", () => {
  it("splits at Python's line breaks and at no others", () => {
    assert.equal(
      characters((character) => splitLines(`a${character}b`).length === 2),
      lineBreaks,
    );
  });

  it("counts empty lines, a final break adds none, \\r\\n is one break", () => {
    assert.deepEqual(splitLines(""), []);
    assert.deepEqual(splitLines("\n"), [""]);
    assert.deepEqual(splitLines("a\r\nb\n\r\n c \n"), ["a", "b", "", " c "]);
    assert.deepEqual(splitLines("a\n\rb"), ["a", "", "b"]);
  });

  it("strips Python's spaces and no others", () => {
    assert.equal(
      characters((character) => strip(character) === ""),
      spaces,
    );
    assert.equal(strip("\u3000 a b\x1f\n"), "a b");
    assert.equal(strip("\ufeffa"), "\ufeffa");
  });

  it("makes line breaks those of a text file", () => {
    assert.equal(universalNewlines("a\r\nb\rc\n\rd\u2028"), "a\nb\nc\n\nd\u2028");
  });
});
