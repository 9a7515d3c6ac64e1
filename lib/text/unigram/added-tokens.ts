/**
 * Finding added tokens in a text, after Hugging Face tokenizers 0.23.2 (`tokenizer/added_vocabulary.rs`): the leftmost
 * match, and of several there the longest.
 */
import type { AddedToken } from "./tokenizer-parts.ts";

export class AddedTokenSplitter {
  readonly #ids: ReadonlyMap<string, AddedToken>;
  readonly #pattern: RegExp | undefined;

  constructor(tokens: readonly AddedToken[]) {
    this.#ids = new Map(tokens.map((token) => [token.content, token]));
    // Of alternatives at one place JavaScript takes the first.
    const contents = [...this.#ids.keys()].sort((a, b) => b.length - a.length);
    this.#pattern = contents.length === 0 ? undefined : new RegExp(contents.map(escape).join("|"), "g");
  }

  /** The text in order: pieces of text, never empty, and ids of tokens. */
  split(text: string): (string | number)[] {
    if (this.#pattern === undefined) return text === "" ? [] : [text];
    const parts: (string | number)[] = [];
    let position = 0;
    for (const match of text.matchAll(this.#pattern)) {
      const token = this.#ids.get(match[0]);
      if (token === undefined) continue;
      const before = text.slice(position, match.index);
      const kept = token.stripsLeft ? before.replace(/\p{White_Space}+$/u, "") : before;
      if (kept !== "") parts.push(kept);
      parts.push(token.id);
      position = match.index + match[0].length;
      if (token.stripsRight) position += /^\p{White_Space}*/u.exec(text.slice(position))?.[0].length ?? 0;
    }
    if (position < text.length) parts.push(text.slice(position));
    return parts;
  }
}

function escape(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
