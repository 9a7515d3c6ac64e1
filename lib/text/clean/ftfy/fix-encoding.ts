/**
 * Repairs mojibake: UTF-8 text that was decoded with a single-byte encoding, once or several times.
 *
 * Source: ftfy 6.3.1, __init__.py, fix_encoding_and_explain; chardata.py (byte patterns); fixes.py (steps), default
 * configuration (copyright 2023 Robyn Speer, Apache-2.0, https://github.com/rspeer/python-ftfy)
 */
import { isBad } from "./badness.ts";
import { utf8Clues } from "./character-classes.ts";
import { singleByteEncodings, windows1252, type SingleByteEncoding } from "./codepages.ts";
import { decodeUtf8, decodeUtf8Variants } from "./utf8-variants.ts";

/** Sequences that are UTF-8 if their space (20) was a no-break space (A0) that some program replaced. */
const alteredUtf8 =
  /[\xc2\xc3\xc5\xce\xd0\xd9] |[\xe2\xe3] [\x80-\x84\x86-\x9f\xa1-\xbf]|[\xe0-\xe3][\x80-\x84\x86-\x9f\xa1-\xbf] |\xf0 [\x80-\xbf][\x80-\xbf]|\xf0[\x80-\xbf] [\x80-\xbf]|\xf0[\x80-\xbf][\x80-\xbf] /g;

/** "Ã la mode": a single à keeps the space after it, except in Portuguese contractions. */
const aGraveWord = /\xc3 (?! |quele|quela|quilo|s )/g;

/** UTF-8 and CESU-8 sequences in which some bytes were replaced with 1A or a question mark. */
const lossyUtf8 = new RegExp(
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
const replacementBytes = "\xef\xbf\xbd";

const { firstOf2, firstOf3, firstOf4, continuation, continuationStrict } = utf8Clues;

/** Runs of characters that look like UTF-8 decoded with a single-byte encoding, regardless of the text around them. */
const utf8Detector = new RegExp(
  `(?<![${continuationStrict}])` +
    `(?:[${firstOf2}][${continuation}]|[${firstOf3}][${continuation}]{2}|[${firstOf4}][${continuation}]{3})+`,
  "gu",
);

const nonAscii = /[^\0-\x7f]/;
const c1Control = /[\x80-\x9f]/g;

/** Undoes one layer of mojibake after the other, until nothing changes. */
export function fixEncoding(text: string): string {
  let current = text;
  for (;;) {
    const fixed = fixOneLayer(current);
    if (fixed === current) return fixed;
    current = fixed;
  }
}

function fixOneLayer(text: string): string {
  if (!nonAscii.test(text) || !isBad(text)) return text;

  for (const encoding of singleByteEncodings) {
    const fixed = reread(text, encoding);
    if (fixed !== undefined) return fixed;
  }

  // No encoding fits the whole text, so repair the runs that look like mojibake.
  const repaired = text.replace(utf8Detector, (run) =>
    run.length < text.length && isBad(run) ? fixEncoding(run) : run,
  );
  if (repaired !== text) return repaired;

  // Latin-1 that was meant to be Windows-1252. ftfy first tries the strict codec on the whole text, with the same result
  // if it succeeds.
  return fixC1Controls(text);
}

/** Decodes the text as UTF-8, if it is UTF-8 that was decoded with `encoding`; undefined otherwise. */
function reread(text: string, encoding: SingleByteEncoding): string | undefined {
  let bytes = encoding.encode(text);
  if (bytes === undefined) return undefined;
  // In MacRoman these bytes are an en dash and a space, which occur in correct text.
  if (encoding.name !== "macroman" && bytes.search(alteredUtf8) !== -1) {
    bytes = bytes
      .replace(aGraveWord, "\xc3\xa0 ")
      .replace(alteredUtf8, (sequence) => sequence.replaceAll(" ", "\xa0"));
  }
  if (encoding.sloppy) bytes = bytes.replace(lossyUtf8, replacementBytes);
  try {
    return /[\xc0\xed]/.test(bytes) ? decodeUtf8Variants(bytes) : decodeUtf8(bytes);
  } catch {
    return undefined;
  }
}

/** Replaces C1 control characters with the characters that the same bytes have in Windows-1252, as browsers do. */
export function fixC1Controls(text: string): string {
  return text.replace(c1Control, (control) => windows1252.decodeByte(control.charCodeAt(0)));
}
