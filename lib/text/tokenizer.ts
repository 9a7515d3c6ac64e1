import type { cleaners } from "./clean/clean.ts";

/** A text, its pieces and its ids: the three steps of a tokenizer. */
export interface TokenizedText {
  /** The text after cleaning. */
  readonly cleaned: string;
  /** One piece per id, special tokens included. */
  readonly pieces: readonly string[];
  /** Ids with the start and end tokens, cut to the context length (the end token is kept), without padding. */
  readonly ids: readonly number[];
}

/** Converts texts to rows of token ids. */
export interface Tokenizer {
  /** The maximum number of ids of a text. */
  readonly contextLength: number;
  /** Ids run from 0 to `vocabSize - 1`. */
  readonly vocabSize: number;
  /** Pads a batch's shorter texts. */
  readonly padId: number;
  tokenize(text: string): TokenizedText;
  /** Only the ids; faster than `tokenize`. */
  encode(text: string): number[];
}

/** The contents of a tokenizer's file. The name selects the format and appears in error messages. */
export interface TokenizerFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Options of `createTokenizer`. */
export interface TokenizerOptions {
  /** The maximum number of ids of a text, start and end tokens included. */
  readonly contextLength: number;
  /** Default: open_clip's for the kind of tokenizer, "lower" for merges and "whitespace" otherwise. */
  readonly clean?: keyof typeof cleaners;
  /** Replace every end token with 0, as open_clip's `strip_sep_token` does. Not for merges. Default: false. */
  readonly stripSeparator?: boolean;
  /** Whose tokenizer reads a `vocab.txt`, which holds no settings. Default: Hugging Face's. */
  readonly dialect?: "hugging-face" | "cn-clip";
  /** The number of lines that a `vocab.txt` must have. Default: any. */
  readonly vocabSize?: number;
}
