import type { AddedToken } from "../added-tokens.ts";
import type { UnigramOptions } from "./unigram.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The contents of a unigram tokenizer's file, in any format. */
export interface TokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly addedTokens: readonly AddedToken[];
  readonly normalize: (text: string) => string;
  /** Splits normalised text into words, in which ▁ replaces the space before the word. */
  readonly preTokenize: (text: string) => readonly string[];
  /** Default: Hugging Face's. */
  readonly unigram?: UnigramOptions;
  /** `<s>`, or `[CLS]` */
  readonly startId: number;
  /** `</s>`; null if texts have no end token. */
  readonly endId: number | null;
  /** `<pad>`, or `[PAD]` */
  readonly padId: number;
}
