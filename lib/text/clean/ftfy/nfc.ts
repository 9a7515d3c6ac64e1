/**
 * Unicode normalisation form C as in Python 3.11 (Unicode 14).
 *
 * JavaScript engines implement newer versions of Unicode. Unicode 14 neither reorders nor composes the newer
 * characters, so the text is split at them and the parts are normalised separately.
 */

/** Characters of Unicode 15 to 17 that have a combining class or take part in a composition. */
const newerCharacters =
  // eslint-disable-next-line no-misleading-character-class -- single combining characters are meant
  /([\u0897\u1acf-\u1add\u1ae0-\u1aeb\u{105c9}\u{105d2}\u{105da}\u{105e4}\u{10d69}-\u{10d6d}\u{10efa}\u{10efb}\u{10efd}-\u{10eff}\u{11382}-\u{11385}\u{1138b}\u{1138e}\u{11390}\u{11391}\u{113b8}\u{113bb}\u{113c2}\u{113c5}\u{113c7}-\u{113c9}\u{113ce}-\u{113d0}\u{11f41}\u{11f42}\u{1611e}-\u{16129}\u{1612f}\u{16d63}\u{16d67}-\u{16d6a}\u{1e08f}\u{1e4ec}-\u{1e4ef}\u{1e5ee}\u{1e5ef}\u{1e6e3}\u{1e6e6}\u{1e6ee}\u{1e6ef}\u{1e6f5}])/u;

export function toNfc(text: string): string {
  if (!newerCharacters.test(text)) return text.normalize("NFC");
  // The odd parts are the newer characters themselves.
  const parts = text.split(newerCharacters);
  return parts.map((part, index) => (index % 2 === 0 ? part.normalize("NFC") : part)).join("");
}
