/**
 * Decodes UTF-8 and two variants: CESU-8, which encodes each surrogate in three bytes, and Java's, which encodes U+0000
 * as C0 80.
 *
 * `$` in ftfy's regular expressions also matches before a line break at the end of the text, and so do these.
 *
 * Source: ftfy 6.3.1, bad_codecs/utf8_variants.py (copyright 2023 Robyn Speer, Apache-2.0,
 * https://github.com/rspeer/python-ftfy)
 */

// ignoreBOM keeps a byte order mark in the text, as Python does.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes a string of bytes (characters 00–FF) as strict UTF-8.
 *
 * @throws TypeError if the bytes are not UTF-8
 */
export function decodeUtf8(bytes: string): string {
  return utf8.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}

const javaNull = /^\xc0(?:\x80|(?=\n?$))/;
const special = /\xc0(?:\x80|(?=\n?$))|\xed(?:[\xa0-\xbf](?:[\x80-\xbf]|(?=\n?$))|(?=\n?$))/;
const cesu8Pair = /^\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf](?:[\x80-\xbf]|(?=\n$))/;

/**
 * Decodes a string of bytes (characters 00–FF) as any mixture of UTF-8, CESU-8 and Java's UTF-8.
 *
 * @throws TypeError if the bytes are none of these
 */
export function decodeUtf8Variants(bytes: string): string {
  let text = "";
  let rest = bytes;
  for (;;) {
    const cutoff = rest.search(special);
    if (cutoff === -1) return text + decodeUtf8(rest);
    text += decodeUtf8(rest.slice(0, cutoff));
    rest = rest.slice(cutoff);
    if (javaNull.test(rest)) {
      if (rest.length === 1) return text + decodeUtf8(rest);
      text += "\0";
      rest = rest.slice(2);
    } else if (rest.length >= 6 && cesu8Pair.test(rest)) {
      text += String.fromCodePoint(surrogatePair(rest));
      rest = rest.slice(6);
    } else {
      return text + decodeUtf8(rest);
    }
  }
}

/** The code point of six bytes 11101101 1010abcd 10efghij 11101101 1011klmn 10opqrst. */
function surrogatePair(bytes: string): number {
  const bits = (index: number, mask: number): number => bytes.charCodeAt(index) & mask;
  return 0x10000 + ((bits(1, 0x0f) << 16) | (bits(2, 0x3f) << 10) | (bits(4, 0x0f) << 6) | bits(5, 0x3f));
}
