/**
 * open_clip's cleaning of texts before the tokenizer.
 *
 * Source: open_clip 3.3.0, tokenizer.py, _clean_whitespace (the default of Hugging Face tokenizers), _clean_lower (the
 * default of the English models' tokenizer), _clean_canonicalize
 */
import { fixText } from "./ftfy/fix-text.ts";
import { unescapeHtml } from "./html-entities.ts";

/** The separators of Python's `str.split()`. JavaScript's `\s` adds U+FEFF and lacks U+001C–U+001F and U+0085. */
// eslint-disable-next-line no-control-regex -- four of the separators are control characters
const pythonSpaces = /[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** ASCII text that needs no repair: it has no HTML references and no control characters except white space. */
const plainAscii = /^[\t\n\f\r -%'-~]*$/;

/** Repairs the text with ftfy, unescapes HTML twice, then trims it and collapses runs of white space. */
export function clean(text: string): string {
  return collapseSpaces(plainAscii.test(text) ? text : unescapeHtml(unescapeHtml(fixText(text))));
}

/** Cleans the text and converts it to lower case. */
export function cleanLower(text: string): string {
  return clean(text).toLowerCase();
}

/**
 * Cleans the text, replaces underscores with spaces, removes ASCII punctuation and converts to lower case.
 *
 * Source: google-research/big_vision, prompt_engineering.py
 */
function cleanCanonicalize(text: string): string {
  return collapseSpaces(
    clean(text)
      .replaceAll("_", " ")
      .replace(/[!-/:-@[-`{-~]/g, "")
      .toLowerCase(),
  );
}

/** The cleaners by their names in open_clip's `tokenizer_kwargs.clean`; "none", for models of other projects, is ours. */
export const cleaners = {
  none: (text: string): string => text,
  whitespace: clean,
  lower: cleanLower,
  canonicalize: cleanCanonicalize,
} as const;

function collapseSpaces(text: string): string {
  return text.replace(pythonSpaces, " ").replace(/^ | $/g, "");
}
