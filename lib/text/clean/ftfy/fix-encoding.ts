/**
 * Repairs mojibake: text that was UTF-8 but was read in a single-byte encoding, once or more often.
 *
 * Rewritten after ftfy 6.3.1 (`fix_encoding_and_explain` in `__init__.py`, with the byte patterns of `chardata.py`
 * and the steps of `fixes.py`), default configuration. Copyright 2023 Robyn Speer, Apache-2.0,
 * https://github.com/rspeer/python-ftfy.
 */
import { isBad } from "./badness.ts";
import { utf8Clues } from "./character-classes.ts";
import { singleByteEncodings, windows1252, type SingleByteEncoding } from "./codepages.ts";
import { decodeUtf8, decodeUtf8Variants } from "./utf8-variants.ts";

/** UTF-8 sequences that would be sound if a space were the byte A0 that some program made it from. */
const ALTERED_UTF8 =
  /[\xc2\xc3\xc5\xce\xd0\xd9] |[\xe2\xe3] [\x80-\x84\x86-\x9f\xa1-\xbf]|[\xe0-\xe3][\x80-\x84\x86-\x9f\xa1-\xbf] |\xf0 [\x80-\xbf][\x80-\xbf]|\xf0[\x80-\xbf] [\x80-\xbf]|\xf0[\x80-\xbf][\x80-\xbf] /g;

/** "Ã la mode": à as a word of its own keeps the space behind it, except in Portuguese contractions. */
const A_GRAVE_WORD = /\xc3 (?! |quele|quela|quilo|s )/g;

/** UTF-8 and CESU-8 sequences of which some bytes were lost, now 1A or a question mark. */
const LOSSY_UTF8 = new RegExp(
  [
    "[\\xc2-\\xdf]\\x1a",
    "[\\xc2\\xc3]\\?",
    "\\xed[\\xa0-\\xaf][\\x1a?]\\xed[\\xb0-\\xbf][\\x1a?\\x80-\\xbf]",
    "\\xed[\\xa0-\\xaf][\\x1a?\\x80-\\xbf]\\xed[\\xb0-\\xbf][\\x1a?]",
    "[\\xe0-\\xef][\\x1a?][\\x1a\\x80-\\xbf]",
    "[\\xe0-\\xef][\\x1a\\x80-\\xbf][\\x1a?]",
    "[\\xf0-\\xf4][\\x1a?][\\x1a\\x80-\\xbf][\\x1a\\x80-\\xbf]",
    "[\\xf0-\\xf4][\\x1a\\x80-\\xbf][\\x1a?][\\x1a\\x80-\\xbf]",
    "[\\xf0-\\xf4][\\x1a\\x80-\\xbf][\\x1a\\x80-\\xbf][\\x1a?]",
    "\\x1a",
  ].join("|"),
  "g",
);

/** U+FFFD in UTF-8. */
const REPLACEMENT_BYTES = "\xef\xbf\xbd";

const { firstOf2, firstOf3, firstOf4, continuation, continuationStrict } = utf8Clues;

/** Runs of what looks like UTF-8 read as something else, whatever the text around them is. */
const UTF8_DETECTOR = new RegExp(
  `(?<![${continuationStrict}])` +
    `(?:[${firstOf2}][${continuation}]|[${firstOf3}][${continuation}]{2}|[${firstOf4}][${continuation}]{3})+`,
  "gu",
);

const NON_ASCII = /[^\0-\x7f]/;
const C1_CONTROL = /[\x80-\x9f]/g;

/** Undoes mojibake, layer by layer, until a step changes nothing. */
export function fixEncoding(text: string): string {
  let current = text;
  for (;;) {
    const fixed = fixOneLayer(current);
    if (fixed === current) return fixed;
    current = fixed;
  }
}

function fixOneLayer(text: string): string {
  if (!NON_ASCII.test(text) || !isBad(text)) return text;

  for (const encoding of singleByteEncodings) {
    const fixed = reread(text, encoding);
    if (fixed !== undefined) return fixed;
  }

  // No encoding fits the whole text: mend the runs that give themselves away.
  const mended = text.replace(UTF8_DETECTOR, (run) =>
    run.length < text.length && isBad(run) ? fixEncoding(run) : run,
  );
  if (mended !== text) return mended;

  // Latin-1 that was meant to be Windows-1252. (ftfy tries the whole text with the strict codec first, which where it
  // succeeds comes to the same.)
  return fixC1Controls(text);
}

/** The text as UTF-8, if it was UTF-8 read in `encoding`. */
function reread(text: string, encoding: SingleByteEncoding): string | undefined {
  let bytes = encoding.encode(text);
  if (bytes === undefined) return undefined;
  // In MacRoman these bytes are an en dash and a space, which is sound text.
  if (encoding.name !== "macroman" && bytes.search(ALTERED_UTF8) !== -1) {
    bytes = bytes
      .replace(A_GRAVE_WORD, "\xc3\xa0 ")
      .replace(ALTERED_UTF8, (sequence) => sequence.replaceAll(" ", "\xa0"));
  }
  if (encoding.sloppy) bytes = bytes.replace(LOSSY_UTF8, REPLACEMENT_BYTES);
  try {
    return /[\xc0\xed]/.test(bytes) ? decodeUtf8Variants(bytes) : decodeUtf8(bytes);
  } catch {
    return undefined;
  }
}

/** C1 controls as what Windows-1252 has in their place, as browsers do. */
export function fixC1Controls(text: string): string {
  return text.replace(C1_CONTROL, (control) => windows1252.decodeByte(control.charCodeAt(0)));
}
