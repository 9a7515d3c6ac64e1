/**
 * ftfy's repairs of single characters: ligatures, width, quotes, line breaks, surrogates, terminal escapes, controls.
 *
 * Source: ftfy 6.3.1, fixes.py and chardata.py, default configuration (copyright 2023 Robyn Speer, Apache-2.0,
 * https://github.com/rspeer/python-ftfy)
 */

/** Ligatures and digraphs of Latin letters, without those that are letters of a language, such as æ. */
const ligatures = new Map(
  "Ĳ=IJ ĳ=ij ŉ=ʼn Ǳ=DZ ǲ=Dz ǳ=dz Ǆ=DŽ ǅ=Dž ǆ=dž Ǉ=LJ ǈ=Lj ǉ=lj Ǌ=NJ ǋ=Nj ǌ=nj ﬀ=ff ﬁ=fi ﬂ=fl ﬃ=ffi ﬄ=ffl ﬅ=ſt ﬆ=st"
    .split(" ")
    .map((pair) => [pair.charAt(0), pair.slice(2)] as const),
);
const ligaturePattern = new RegExp(`[${[...ligatures.keys()].join("")}]`, "g");

const halfOrFullWidth = /[\u3000\uff01-\uffef]/g;
const singleQuote = /[\u02bc\u2018-\u201b]/g;
const doubleQuote = /[\u201c-\u201f]/g;
const lineBreak = /\r\n|[\r\u2028\u2029\x85]/g;
const loneSurrogate = /\p{Surrogate}/gu;
/* eslint-disable no-control-regex -- the patterns match control characters */
const terminalEscape = /\x1b\[[\p{Nd};]*[a-zA-Z]/gu;
/**
 * Control characters except white space, deprecated format characters, the byte order mark, interlinear annotation
 * characters and the object replacement character.
 */
const control = /[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;
/* eslint-enable no-control-regex */

/** Applies all repairs, in ftfy's order. */
export function fixCharacters(text: string): string {
  return text
    .replace(ligaturePattern, (ligature) => ligatures.get(ligature) ?? ligature)
    .replace(halfOrFullWidth, (character) => character.normalize("NFKC"))
    .replace(doubleQuote, '"')
    .replace(singleQuote, "'")
    .replace(lineBreak, "\n")
    .replace(loneSurrogate, "\ufffd")
    .replace(terminalEscape, "")
    .replace(control, "");
}
