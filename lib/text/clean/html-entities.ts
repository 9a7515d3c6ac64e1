/**
 * Character references of HTML, as Python's `html.unescape` reads them and as ftfy's stricter `unescape_html` does.
 *
 * The table of names is the npm package html-entities' (the HTML standard's). Its own `decode` is not used on whole
 * texts: which prefixes of an unfinished name count, and what becomes of numbers that are no characters, differ.
 * Sources: CPython 3.11's Lib/html/__init__.py; ftfy 6.3.1's fixes.py and chardata.py (Apache-2.0).
 */
import { decode } from "html-entities";

/** Names that the HTML standard also knows without a semicolon. */
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

/** What the bytes 80–9F mean as numeric references: Windows-1252, and themselves where it has nothing. */
const C1_REPLACEMENTS = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

const REFERENCE = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;
const STRICT_REFERENCE = /&#?[0-9A-Za-z]{1,24};/g;

/** HTML 5 has them in mathematics; the package has HTML 4's U+2329 and U+232A. */
const angleBrackets = new Map([
  ["lang;", "\u27e8"],
  ["rang;", "\u27e9"],
]);

/** The characters of a complete name (with its semicolon), or undefined if there is none of that name. */
function namedCharacters(name: string): string | undefined {
  if (!/^[0-9A-Za-z]+;$/.test(name)) return undefined;
  const reference = `&${name}`;
  const characters = decode(reference, { level: "html5", scope: "strict" });
  return characters === reference ? undefined : (angleBrackets.get(name) ?? characters);
}

/** Python's `html.unescape`: names may lack their semicolon where the HTML standard allows it. */
export function unescapeHtml(text: string): string {
  return text.includes("&") ? text.replace(REFERENCE, (_, body: string) => unescapeReference(body)) : text;
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

/** `digits` is decimal, or hexadecimal behind an x. */
function numericReference(digits: string): string {
  const codePoint = /^x/i.test(digits) ? parseInt(digits.slice(1), 16) : parseInt(digits, 10);
  if (codePoint === 0 || codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff))
    return "\ufffd";
  if (codePoint >= 0x80 && codePoint <= 0x9f) return C1_REPLACEMENTS.charAt(codePoint - 0x80);
  return isNoCharacter(codePoint) ? "" : String.fromCodePoint(codePoint);
}

/** Controls other than white space, and noncharacters: a reference to one of them vanishes. */
function isNoCharacter(codePoint: number): boolean {
  return (
    (codePoint >= 0x01 && codePoint <= 0x08) ||
    codePoint === 0x0b ||
    (codePoint >= 0x0e && codePoint <= 0x1f) ||
    codePoint === 0x7f ||
    (codePoint >= 0xfdd0 && codePoint <= 0xfdef) ||
    (codePoint & 0xfffe) === 0xfffe
  );
}

/** ftfy's `unescape_html`: only references that end in a semicolon, and names shouted in capitals (`&EACUTE;`). */
export function unescapeSafeEntities(text: string): string {
  return text.includes("&") ? text.replace(STRICT_REFERENCE, safeReference) : text;
}

function safeReference(reference: string): string {
  const name = reference.slice(1);
  if (name.startsWith("#")) {
    const characters = unescapeHtml(reference);
    // Only part of it was a number: leave it whole.
    return characters.includes(";") ? reference : characters;
  }
  const characters = namedCharacters(name);
  if (characters !== undefined) return characters;
  // In capitals only where that is no reference by itself (`&AMPERSAND;` begins with the legacy name AMP).
  if (name !== name.toUpperCase() || unescapeReference(name) !== reference) return reference;
  return namedCharacters(name.toLowerCase())?.toUpperCase() ?? reference;
}
