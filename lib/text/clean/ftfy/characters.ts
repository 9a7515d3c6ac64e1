/**
 * ftfy's repairs of single characters: ligatures, width, quotes, line breaks, surrogates, terminal escapes, controls.
 *
 * Rewritten after ftfy 6.3.1's `fixes.py` and `chardata.py`, default configuration. Copyright 2023 Robyn Speer,
 * Apache-2.0, https://github.com/rspeer/python-ftfy.
 */

/** Ligatures and digraphs of Latin letters. Those that are letters of a language (æ) are not among them. */
const ligatures = new Map(
  "Ĳ=IJ ĳ=ij ŉ=ʼn Ǳ=DZ ǲ=Dz ǳ=dz Ǆ=DŽ ǅ=Dž ǆ=dž Ǉ=LJ ǈ=Lj ǉ=lj Ǌ=NJ ǋ=Nj ǌ=nj ﬀ=ff ﬁ=fi ﬂ=fl ﬃ=ffi ﬄ=ffl ﬅ=ſt ﬆ=st"
    .split(" ")
    .map((pair) => [pair.charAt(0), pair.slice(2)] as const),
);
const LIGATURE = new RegExp(`[${[...ligatures.keys()].join("")}]`, "g");

const HALF_OR_FULL_WIDTH = /[\u3000\uff01-\uffef]/g;
const SINGLE_QUOTE = /[\u02bc\u2018-\u201b]/g;
const DOUBLE_QUOTE = /[\u201c-\u201f]/g;
const LINE_BREAK = /\r\n|[\r\u2028\u2029\x85]/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;
/* eslint-disable no-control-regex -- control characters are the matter here */
const TERMINAL_ESCAPE = /\x1b\[[\p{Nd};]*[a-zA-Z]/gu;
/** Controls without white space, deprecated Arabic ones, the byte order mark, interlinear annotation, object. */
const CONTROL = /[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;
/* eslint-enable no-control-regex */

/** All of them, in ftfy's order. */
export function fixCharacters(text: string): string {
  return text
    .replace(LIGATURE, (ligature) => ligatures.get(ligature) ?? ligature)
    .replace(HALF_OR_FULL_WIDTH, (character) => character.normalize("NFKC"))
    .replace(DOUBLE_QUOTE, '"')
    .replace(SINGLE_QUOTE, "'")
    .replace(LINE_BREAK, "\n")
    .replace(LONE_SURROGATE, "\ufffd")
    .replace(TERMINAL_ESCAPE, "")
    .replace(CONTROL, "");
}
