/**
 * ftfy's heuristic: does a text hold neighbours that hardly ever meet except in mojibake?
 *
 * Rewritten after ftfy 6.3.1's `badness.py` (BADNESS_RE), copyright 2023 Robyn Speer, Apache-2.0,
 * https://github.com/rspeer/python-ftfy. Python's `\s` and `\w` are spelled out, since JavaScript's differ.
 */
import { categories } from "./character-classes.ts";

const { c1, bad, law, currency, numeric, kaomoji, box, common } = categories;
const { startPunctuation, endPunctuation } = categories;
const { upperAccented, lowerAccented, upperCommon, lowerCommon } = categories;

const punctuation = startPunctuation + endPunctuation;
const accented = lowerAccented + upperAccented;
/** what Python's `\s` matches in text */
const space = "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
/** what Python's `\w` matches in text */
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
  // Arabic read as Windows-1252 needs the common characters too, therefore four in a row.
  `[ØÙ][${common}${currency}${bad}${numeric}${startPunctuation}ŸŠ®°µ»]` +
    `[ØÙ][${common}${currency}${bad}${numeric}${startPunctuation}ŸŠ®°µ»]`,
  // What starts three-character sequences of some South Asian alphabets in Windows-1252.
  `à[²µ¹¼½¾]`,
  // MacRoman.
  `√[±∂†≠®™´≤≥¥µø]`,
  `≈[°¢]`,
  `‚Ä[ìîïòôúùû†°¢π]`,
  `‚[âó][àä°ê]`,
  // U+2000 and after, read as Windows-1251.
  `вЂ`,
  // Latin-1 or Cyrillic read as Windows-1251: pairs may be common, so three characters.
  `[ВГРС][${c1}${bad}${punctuation}${currency}°µ][ВГРС]`,
  // Windows-1251 on top of Latin-1 on top of Windows-1252, with a Latin letter nearby.
  `ГўВЂВ[^\\n][A-Za-z ]`,
  // Windows-1252's à, á and the no-break space.
  `Ã[\\xa0¡]`,
  `[a-z]${space}?[ÃÂ][ ]`,
  `^[ÃÂ][ ]`,
  // Â before a character that stands for itself and is common enough.
  `[a-z.,?!${endPunctuation}]Â[ ${punctuation}]`,
  // U+2000 and after, read as Windows-1253.
  `β€[™\\xa0Ά\\xad®°]`,
  // Latin-1 or Greek read as Windows-1253.
  `[ΒΓΞΟ][${c1}${bad}${punctuation}${currency}°][ΒΓΞΟ]`,
  // U+2000 and after, read as Windows-1257.
  `ā€`,
];

const badness = new RegExp(alternatives.join("|"), "u");

/** Whether the text looks as if some of it were mojibake. The longer it is, the sooner it does. */
export function isBad(text: string): boolean {
  return badness.test(text);
}
