/**
 * BERT's tokenizer: added tokens, words, WordPiece, then `[CLS]` in front and `[SEP]` behind, cut to the context length.
 *
 * Source: cn_clip/clip/utils.py, tokenize; open_clip 3.3.0, tokenizer.py, HFTokenizer; huggingface/tokenizers 0.23.2
 */
import { AddedTokenSplitter, type AddedToken } from "../added-tokens.ts";
import { cleaners } from "../clean/clean.ts";
import type { TokenizedText, Tokenizer, TokenizerOptions } from "../tokenizer.ts";
import type { SplitWords } from "./bert-words.ts";
import { WordPiece } from "./wordpiece.ts";

/** The contents of a WordPiece tokenizer's file, in any format. */
export interface WordPieceParts {
  readonly ids: ReadonlyMap<string, number>;
  readonly addedTokens: readonly AddedToken[];
  readonly splitWords: SplitWords;
  /** In characters. */
  readonly longestWord: number;
  readonly prefix: string;
  readonly unknownId: number;
  /** `[CLS]` */
  readonly startId: number;
  /** `[SEP]` */
  readonly endId: number;
  /** `[PAD]` */
  readonly padId: number;
}

export class WordPieceTokenizer implements Tokenizer {
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly padId: number;
  readonly #clean: (text: string) => string;
  readonly #stripSeparator: boolean;
  readonly #parts: WordPieceParts;
  readonly #wordPiece: WordPiece;
  readonly #addedTokens: AddedTokenSplitter;
  readonly #pieces: ReadonlyMap<number, string>;

  constructor(
    parts: WordPieceParts,
    { contextLength, clean = "whitespace", stripSeparator = false }: TokenizerOptions,
  ) {
    this.contextLength = contextLength;
    this.#clean = cleaners[clean];
    this.#stripSeparator = stripSeparator;
    this.#parts = parts;
    this.#wordPiece = new WordPiece(parts.ids, parts.unknownId, parts.longestWord, parts.prefix);
    this.#addedTokens = new AddedTokenSplitter(parts.addedTokens);
    const added = parts.addedTokens.map(({ id, content }) => [id, content] as const);
    this.#pieces = new Map([...[...parts.ids].map(([piece, id]) => [id, piece] as const), ...added]);
    this.padId = parts.padId;
    let size = 0;
    for (const id of this.#pieces.keys()) size = Math.max(size, id + 1);
    this.vocabSize = size;
  }

  tokenize(text: string): TokenizedText {
    const cleaned = this.#clean(text);
    const ids = this.#encodeCleaned(cleaned);
    return { cleaned, pieces: ids.map((id) => this.#pieces.get(id) ?? ""), ids };
  }

  encode(text: string): number[] {
    return this.#encodeCleaned(this.#clean(text));
  }

  #encodeCleaned(text: string): number[] {
    const { startId, endId, splitWords } = this.#parts;
    const room = this.contextLength - 1;
    const ids = [startId];
    for (const part of this.#addedTokens.split(text)) {
      if (typeof part === "number") ids.push(part);
      else {
        for (const word of splitWords(part)) {
          if (ids.length >= room) break;
          this.#wordPiece.encode(word, ids);
        }
      }
    }
    ids.length = Math.min(ids.length, room);
    ids.push(endId);
    return this.#stripSeparator ? ids.map((id) => (id === endId ? 0 : id)) : ids;
  }
}
