/**
 * Decodes HTML character references like Python's `html.unescape`, and like ftfy's stricter `unescape_html`.
 *
 * The npm package html-entities provides the HTML standard's table of names. Its `decode` is not applied to whole texts,
 * because it differs from Python in names without a semicolon and in numbers that are not characters.
 *
 * Source: CPython 3.11, Lib/html/__init__.py; ftfy 6.3.1, fixes.py and chardata.py (copyright 2023 Robyn Speer,
 * Apache-2.0, https://github.com/rspeer/python-ftfy)
 */
import { decode } from "html-entities";

/** Names that the HTML standard allows without a semicolon. */
const legacyNames = new Set(
  (
    "AElig AMP Aacute Acirc Agrave Aring Atilde Auml COPY Ccedil ETH Eacute Ecirc Egrave Euml GT Iacute Icirc Igrave " +
    "Iuml LT Ntilde Oacute Ocirc Ograve Oslash Otilde Ouml QUOT REG THORN Uacute Ucirc Ugrave Uuml Yacute aacute " +
    "acirc acute aelig agrave amp aring atilde auml brvbar ccedil cedil cent copy curren deg divide eacute ecirc " +
    "egrave eth euml frac12 frac14 frac34 gt iacute icirc iexcl igrave iquest iuml laquo lt macr micro middot nbsp " +
    "not ntilde oacute ocirc ograve ordf ordm oslash otilde ouml para plusmn pound quot raquo reg sect shy sup1 sup2 " +
    "sup3 szlig thorn times uacute ucirc ugrave uml uuml yacute yen yuml"
  ).split(" "),
);

/** The characters of numeric references 80–9F: Windows-1252, or the control itself if the byte is unassigned. */
const c1Replacements = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

const referencePattern = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;
const strictReferencePattern = /&#?[0-9A-Za-z]{1,24};/g;

/** HTML 5's mathematical brackets. The package has HTML 4's U+2329 and U+232A. */
const angleBrackets = new Map([
  ["lang;", "\u27e8"],
  ["rang;", "\u27e9"],
]);

/** The characters of a name with its semicolon; undefined for an unknown name. */
function namedCharacters(name: string): string | undefined {
  if (!/^[0-9A-Za-z]+;$/.test(name)) return undefined;
  const reference = `&${name}`;
  const characters = decode(reference, { level: "html5", scope: "strict" });
  return characters === reference ? undefined : (angleBrackets.get(name) ?? characters);
}

/** Decodes references as Python's `html.unescape` does: the semicolon may be missing if the HTML standard allows it. */
export function unescapeHtml(text: string): string {
  return text.includes("&")
    ? text.replace(referencePattern, (_, body: string) => unescapeReference(body))
    : text;
}

function unescapeReference(body: string): string {
  if (body.startsWith("#")) return numericReference(body.endsWith(";") ? body.slice(1, -1) : body.slice(1));
  if (body.endsWith(";")) {
    const characters = namedCharacters(body);
    if (characters !== undefined) return characters;
  }
  for (let length = body.length; length > 1; length--) {
    const name = body.slice(0, length);
    if (legacyNames.has(name)) return (namedCharacters(`${name};`) ?? "") + body.slice(length);
  }
  return `&${body}`;
}

/** @param digits decimal, or x and hexadecimal digits */
function numericReference(digits: string): string {
  const codePoint = /^x/i.test(digits) ? parseInt(digits.slice(1), 16) : parseInt(digits, 10);
  if (codePoint === 0 || codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff))
    return "\ufffd";
  if (codePoint >= 0x80 && codePoint <= 0x9f) return c1Replacements.charAt(codePoint - 0x80);
  return isDropped(codePoint) ? "" : String.fromCodePoint(codePoint);
}

/** Whether the code point is a control other than white space or a noncharacter; Python drops references to them. */
function isDropped(codePoint: number): boolean {
  return (
    (codePoint >= 0x01 && codePoint <= 0x08) ||
    codePoint === 0x0b ||
    (codePoint >= 0x0e && codePoint <= 0x1f) ||
    codePoint === 0x7f ||
    (codePoint >= 0xfdd0 && codePoint <= 0xfdef) ||
    (codePoint & 0xfffe) === 0xfffe
  );
}

/** Decodes references as ftfy's `unescape_html` does: only with a semicolon, but also names in capitals (`&EACUTE;`). */
export function unescapeSafeEntities(text: string): string {
  return text.includes("&") ? text.replace(strictReferencePattern, safeReference) : text;
}

function safeReference(reference: string): string {
  const name = reference.slice(1);
  if (name.startsWith("#")) {
    const characters = unescapeHtml(reference);
    // Only a part of the reference was decoded, so keep it.
    return characters.includes(";") ? reference : characters;
  }
  const characters = namedCharacters(name);
  if (characters !== undefined) return characters;
  // Skip names that are already a reference in capitals (`&AMPERSAND;` starts with the legacy name AMP).
  if (name !== name.toUpperCase() || unescapeReference(name) !== reference) return reference;
  return namedCharacters(name.toLowerCase())?.toUpperCase() ?? reference;
}
