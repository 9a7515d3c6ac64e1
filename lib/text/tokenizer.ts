/** What the rest of the house knows of a tokenizer. */

/** One text on its way to the text tower. */
export interface TokenizedText {
  /** text after cleaning */
  readonly cleaned: string;
  /** pieces, special ones included, one per id */
  readonly pieces: readonly string[];
  /** ids with `<s>` and `</s>`, cut to the context length (keeping `</s>`), without padding */
  readonly ids: readonly number[];
}

export interface Tokenizer {
  /** The most ids that `encode` returns. */
  readonly contextLength: number;
  /** Ids run from 0 to `vocabSize - 1`. */
  readonly vocabSize: number;
  /** The id that a batch is filled up with. */
  readonly padId: number;
  tokenize(text: string): TokenizedText;
  /** ids alone: the fast path */
  encode(text: string): number[];
}

/** A tokenizer's file as it was read; the name tells its format and stands in errors. */
export interface TokenizerFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export { createXlmRobertaTokenizer } from "./unigram/xlm-roberta-tokenizer.ts";
