/**
 * open_clip's cleaning of texts before the tokenizer.
 *
 * Mirrors open_clip 3.3.0's `tokenizer.py`: `_clean_whitespace` (the Hugging Face tokenizers' default) and
 * `_clean_lower` (the English BPE tokenizer's), `_clean_canonicalize`.
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

/** In lower case and without ASCII punctuation; underscores are spaces. First in big_vision, prompt_engineering.py. */
function cleanCanonicalize(text: string): string {
  return collapseSpaces(
    clean(text)
      .replaceAll("_", " ")
      .replace(/[!-/:-@[-`{-~]/g, "")
      .toLowerCase(),
  );
}

/** open_clip's names of the ways to clean (`tokenizer_kwargs.clean`). */
export const cleaners = { whitespace: clean, lower: cleanLower, canonicalize: cleanCanonicalize } as const;

function collapseSpaces(text: string): string {
  return text.replace(PYTHON_SPACES, " ").replace(/^ | $/g, "");
}
