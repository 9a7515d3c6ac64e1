/**
 * Cutting text into words, after Hugging Face tokenizers 0.23.2: `WhitespaceSplit` and `Metaspace`.
 */

/** Rust's `char::is_whitespace`. */
const WHITE_SPACE = /\p{White_Space}+/u;

/** Words between white space, which itself is dropped. */
export function splitAtWhiteSpace(text: string): string[] {
  return text.split(WHITE_SPACE).filter((word) => word !== "");
}

/** Puts `mark` for each space and in front of each text that lacks it, and cuts before each mark. */
export function prefixWords(texts: readonly string[], mark: string): string[] {
  const words: string[] = [];
  for (const text of texts) {
    const marked = text.replaceAll(" ", mark);
    cutBefore(marked.startsWith(mark) ? marked : mark + marked, mark, words);
  }
  return words;
}

/** The same without a mark in front of the text. */
export function markSpaces(texts: readonly string[], mark: string): string[] {
  const words: string[] = [];
  for (const text of texts) cutBefore(text.replaceAll(" ", mark), mark, words);
  return words;
}

function cutBefore(text: string, mark: string, words: string[]): void {
  let start = 0;
  for (let next = text.indexOf(mark, 1); next !== -1; next = text.indexOf(mark, start + 1)) {
    words.push(text.slice(start, next));
    start = next;
  }
  words.push(text.slice(start));
}
