import type { Vocabulary } from "./vocabulary.ts";

/** A token that is found in the text itself, before the model sees it (`<mask>`). */
export interface AddedToken {
  readonly content: string;
  readonly id: number;
  /** takes the white space in front of it along */
  readonly stripsLeft: boolean;
  /** takes the white space behind it along */
  readonly stripsRight: boolean;
  /** is looked for after normalisation, not before */
  readonly isNormalized: boolean;
}

/** What either file format says about an XLM-R tokenizer. */
export interface TokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly addedTokens: readonly AddedToken[];
  readonly normalize: (text: string) => string;
  /** Cuts normalised text into words, as the model expects them: with ▁ for the space in front. */
  readonly preTokenize: (text: string) => readonly string[];
  /** `<s>` */
  readonly startId: number;
  /** `</s>` */
  readonly endId: number;
  /** `<pad>` */
  readonly padId: number;
}
