import type { Vocabulary } from "./vocabulary.ts";

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

/** The contents of a unigram tokenizer's file, in any format. */
export interface TokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly addedTokens: readonly AddedToken[];
  readonly normalize: (text: string) => string;
  /** Splits normalised text into words, in which ▁ replaces the space before the word. */
  readonly preTokenize: (text: string) => readonly string[];
  /** `<s>` */
  readonly startId: number;
  /** `</s>` */
  readonly endId: number;
  /** `<pad>` */
  readonly padId: number;
}
