/**
 * open_clip's cleaning of texts before the tokenizer.
 *
 * Mirrors open_clip 3.3.0's `tokenizer.py`: `_clean_whitespace` (the Hugging Face tokenizers' default) and
 * `_clean_lower` (the English BPE tokenizer's).
 */
import { fixText } from "./ftfy/fix-text.ts";
import { unescapeHtml } from "./html-entities.ts";

/** What Python's `str.split()` splits at. JavaScript's `\s` has U+FEFF and lacks U+001C–U+001F and U+0085. */
// eslint-disable-next-line no-control-regex -- four of them are white space
const PYTHON_SPACES = /[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** ASCII in which there is nothing to repair: no references, no controls but white space. */
const PLAIN = /^[\t\n\f\r -%'-~]*$/;

/** Repairs (ftfy), unescapes HTML twice, and leaves single spaces between words and none around them. */
export function clean(text: string): string {
  return collapseSpaces(PLAIN.test(text) ? text : unescapeHtml(unescapeHtml(fixText(text))));
}

/** The same in lower case. */
export function cleanLower(text: string): string {
  return clean(text).toLowerCase();
}

function collapseSpaces(text: string): string {
  return text.replace(PYTHON_SPACES, " ").replace(/^ | $/g, "");
}
