/**
 * WordPiece: splits a word into the longest pieces of a vocabulary, from the left. Pieces inside a word begin with `##`.
 *
 * Paper: Wu et al., "Google's Neural Machine Translation System", 2016 (arXiv 1609.08144), section 4.1.
 * Source: google-research/bert, tokenization.py, WordpieceTokenizer; huggingface/tokenizers 0.23.2, models/wordpiece
 */
export class WordPiece {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #unknownId: number;
  readonly #longestWord: number;
  readonly #prefix: string;
  /** In UTF-16 units, prefix included. */
  readonly #longestPiece: number;

  /** @param longestWord words of more characters are unknown @param prefix of pieces inside a word */
  constructor(ids: ReadonlyMap<string, number>, unknownId: number, longestWord: number, prefix = "##") {
    this.#ids = ids;
    this.#unknownId = unknownId;
    this.#longestWord = longestWord;
    this.#prefix = prefix;
    let longest = 0;
    for (const piece of ids.keys()) longest = Math.max(longest, piece.length);
    this.#longestPiece = longest;
  }

  /** Appends the ids of a word's pieces to `ids`; the unknown id if the pieces do not cover the whole word. */
  encode(word: string, ids: number[]): void {
    const first = ids.length;
    if (Array.from(word).length > this.#longestWord) {
      ids.push(this.#unknownId);
      return;
    }
    for (let start = 0; start < word.length;) {
      const prefix = start === 0 ? "" : this.#prefix;
      let end = Math.min(word.length, start + this.#longestPiece);
      let id: number | undefined;
      for (; end > start; end--) {
        id = this.#ids.get(prefix + word.slice(start, end));
        if (id !== undefined) break;
      }
      if (id === undefined) {
        ids.length = first;
        ids.push(this.#unknownId);
        return;
      }
      ids.push(id);
      start = end;
    }
  }
}
