/**
 * Splits text into words.
 *
 * Source: huggingface/tokenizers 0.23.2, pre_tokenizers, WhitespaceSplit and Metaspace
 */

/** Rust's `char::is_whitespace`. */
const whiteSpace = /\p{White_Space}+/u;

/** Splits at white space, which is dropped. */
export function splitAtWhiteSpace(text: string): string[] {
  return text.split(whiteSpace).filter((word) => word !== "");
}

/** Replaces spaces with `mark`, prepends it to texts that do not start with it, and splits before each mark. */
export function prefixWords(texts: readonly string[], mark: string): string[] {
  const words: string[] = [];
  for (const text of texts) {
    const marked = text.replaceAll(" ", mark);
    splitBefore(marked.startsWith(mark) ? marked : mark + marked, mark, words);
  }
  return words;
}

/** Replaces spaces with `mark` and splits before each mark. */
export function markSpaces(texts: readonly string[], mark: string): string[] {
  const words: string[] = [];
  for (const text of texts) splitBefore(text.replaceAll(" ", mark), mark, words);
  return words;
}

function splitBefore(text: string, mark: string, words: string[]): void {
  let start = 0;
  for (let next = text.indexOf(mark, 1); next !== -1; next = text.indexOf(mark, start + 1)) {
    words.push(text.slice(start, next));
    start = next;
  }
  words.push(text.slice(start));
}
