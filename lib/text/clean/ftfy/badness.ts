/**
 * ftfy's heuristic for mojibake: pairs of adjacent characters that are very rare in correct text.
 *
 * Python's `\s` and `\w` are written out, because JavaScript's match other characters.
 *
 * Source: ftfy 6.3.1, badness.py, BADNESS_RE (copyright 2023 Robyn Speer, Apache-2.0,
 * https://github.com/rspeer/python-ftfy)
 */
import { categories } from "./character-classes.ts";

const { c1, bad, law, currency, numeric, kaomoji, box, common } = categories;
const { startPunctuation, endPunctuation } = categories;
const { upperAccented, lowerAccented, upperCommon, lowerCommon } = categories;

const punctuation = startPunctuation + endPunctuation;
const accented = lowerAccented + upperAccented;
/** The characters that Python's `\s` matches. */
const space = "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
/** The characters that Python's `\w` matches. */
const word = "[\\p{L}\\p{N}_]";

const alternatives = [
  `[${c1}]`,
  `[${bad}${accented}${box}${punctuation}${currency}${numeric}${law}][${bad}]`,
  `[a-zA-Z][${lowerCommon}${upperCommon}][${bad}]`,
  `[${bad}][${accented}${box}${punctuation}${currency}${numeric}${law}]`,
  `[${lowerAccented}${lowerCommon}${box}${endPunctuation}${currency}${numeric}][${upperAccented}]`,
  `[${box}${endPunctuation}${currency}${numeric}][${lowerAccented}]`,
  `[${lowerAccented}${box}${endPunctuation}][${currency}]`,
  `${space}[${upperAccented}][${currency}]`,
  `[${upperAccented}${box}][${numeric}${law}]`,
  `[${accented}${box}${currency}${endPunctuation}][${startPunctuation}][${numeric}]`,
  `[${accented}${currency}${numeric}${box}${law}][${endPunctuation}][${startPunctuation}]`,
  `[${currency}${numeric}${box}][${startPunctuation}]`,
  `[a-z][${upperAccented}][${startPunctuation}${currency}]`,
  `[${box}][${kaomoji}]`,
  `[${accented}${currency}${numeric}${punctuation}${law}][${box}]`,
  `[${box}][${endPunctuation}]`,
  `[${accented}][${punctuation}]${word}`,
  // The ligature œ when no unaccented Latin letter follows.
  `[Œœ][^A-Za-z]`,
  // Degree signs after capital letters.
  `[${upperAccented}]°`,
  // Two-character mojibake of Windows-1252 that the cases above miss.
  `[ÂÃÎÐ][€œŠš¢£Ÿž\\xa0\\xad®©°·»${punctuation}–—´]`,
  `×[²³]`,
  // Arabic read as Windows-1252. The common characters are needed too, so the pattern is four characters long.
  `[ØÙ][${common}${currency}${bad}${numeric}${startPunctuation}ŸŠ®°µ»]` +
    `[ØÙ][${common}${currency}${bad}${numeric}${startPunctuation}ŸŠ®°µ»]`,
  // The start of three-character sequences: South Asian scripts read as Windows-1252.
  `à[²µ¹¼½¾]`,
  // MacRoman.
  `√[±∂†≠®™´≤≥¥µø]`,
  `≈[°¢]`,
  `‚Ä[ìîïòôúùû†°¢π]`,
  `‚[âó][àä°ê]`,
  // U+2000 and above, read as Windows-1251.
  `вЂ`,
  // Latin-1 or Cyrillic read as Windows-1251. Pairs occur in correct text, so the pattern is three characters long.
  `[ВГРС][${c1}${bad}${punctuation}${currency}°µ][ВГРС]`,
  // Windows-1251 on top of Latin-1 on top of Windows-1252, with a Latin letter nearby.
  `ГўВЂВ[^\\n][A-Za-z ]`,
  // Windows-1252's à, á and the no-break space.
  `Ã[\\xa0¡]`,
  `[a-z]${space}?[ÃÂ][ ]`,
  `^[ÃÂ][ ]`,
  // Â before a character that the wrong encoding left unchanged.
  `[a-z.,?!${endPunctuation}]Â[ ${punctuation}]`,
  // U+2000 and above, read as Windows-1253.
  `β€[™\\xa0Ά\\xad®°]`,
  // Latin-1 or Greek read as Windows-1253.
  `[ΒΓΞΟ][${c1}${bad}${punctuation}${currency}°][ΒΓΞΟ]`,
  // U+2000 and above, read as Windows-1257.
  `ā€`,
];

const badness = new RegExp(alternatives.join("|"), "u");

/** Whether some of the text looks like mojibake. False positives become more likely with the text's length. */
export function isBad(text: string): boolean {
  return badness.test(text);
}
