/**
 * Finds added tokens in a text: the leftmost match, and the longest of several matches at the same position.
 *
 * Source: huggingface/tokenizers 0.23.2, tokenizer/added_vocabulary.rs
 */

/** A token that is matched in the text before the model splits it into pieces, such as `<mask>`. */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** The token includes the white space before it. */
  readonly stripsLeft: boolean;
  /** The token includes the white space after it. */
  readonly stripsRight: boolean;
  /** The token is matched after normalisation instead of before. */
  readonly isNormalized: boolean;
}

export class AddedTokenSplitter {
  readonly #ids: ReadonlyMap<string, AddedToken>;
  readonly #pattern: RegExp | undefined;

  constructor(tokens: readonly AddedToken[]) {
    this.#ids = new Map(tokens.map((token) => [token.content, token]));
    // JavaScript takes the first alternative that matches, so the longest comes first.
    const contents = [...this.#ids.keys()].sort((a, b) => b.length - a.length);
    this.#pattern = contents.length === 0 ? undefined : new RegExp(contents.map(escape).join("|"), "g");
  }

  /** Splits a text into non-empty strings and the ids of the added tokens between them, in order. */
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
