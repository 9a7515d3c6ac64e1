/**
 * A unigram tokenizer as open_clip uses XLM-R's: cleaning, added tokens, normalisation, words, unigram pieces, then
 * `<s>` and `</s>`, cut to the context length. Other models' parts may have another start and no end.
 *
 * Source: open_clip 3.3.0, tokenizer.py, HFTokenizer; huggingface/tokenizers 0.23.2
 */
import { AddedTokenSplitter } from "../added-tokens.ts";
import { cleaners } from "../clean/clean.ts";
import type { TokenizedText, Tokenizer, TokenizerOptions } from "../tokenizer.ts";
import type { TokenizerParts } from "./tokenizer-parts.ts";
import { Unigram } from "./unigram.ts";

export class UnigramTokenizer implements Tokenizer {
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly padId: number;
  readonly #clean: (text: string) => string;
  readonly #stripSeparator: boolean;
  readonly #parts: TokenizerParts;
  readonly #unigram: Unigram;
  readonly #rawTokens: AddedTokenSplitter;
  readonly #normalizedTokens: AddedTokenSplitter;

  constructor(
    parts: TokenizerParts,
    { contextLength, clean = "whitespace", stripSeparator = false }: TokenizerOptions,
  ) {
    this.#clean = cleaners[clean];
    this.#stripSeparator = stripSeparator;
    this.#parts = parts;
    this.#unigram = new Unigram(parts.vocabulary, parts.unknownId, parts.unigram);
    this.contextLength = contextLength;
    this.vocabSize = parts.addedTokens.reduce(
      (size, { id }) => Math.max(size, id + 1),
      parts.vocabulary.size,
    );
    this.padId = parts.padId;
    const { addedTokens, normalize } = parts;
    this.#rawTokens = new AddedTokenSplitter(addedTokens.filter((token) => !token.isNormalized));
    this.#normalizedTokens = new AddedTokenSplitter(
      addedTokens
        .filter((token) => token.isNormalized)
        .map((token) => ({ ...token, content: normalize(token.content) })),
    );
  }

  tokenize(text: string): TokenizedText {
    const cleaned = this.#clean(text);
    const ids = this.#encodeCleaned(cleaned);
    return { cleaned, pieces: ids.map((id) => this.#piece(id)), ids };
  }

  encode(text: string): number[] {
    return this.#encodeCleaned(this.#clean(text));
  }

  #piece(id: number): string {
    const { vocabulary, addedTokens } = this.#parts;
    return addedTokens.find((token) => token.id === id)?.content ?? vocabulary.piece(id);
  }

  #encodeCleaned(text: string): number[] {
    const { startId, endId, normalize, preTokenize } = this.#parts;
    const ids = [startId];
    const room = this.contextLength - (endId === null ? 0 : 1);
    for (const raw of this.#rawTokens.split(text)) {
      if (typeof raw === "number") {
        ids.push(raw);
        continue;
      }
      for (const part of this.#normalizedTokens.split(normalize(raw))) {
        if (typeof part === "number") {
          ids.push(part);
          continue;
        }
        for (const word of preTokenize(part)) {
          // Words beyond the context length do not change the ids before them.
          if (ids.length >= room) break;
          this.#unigram.encode(word, ids);
        }
      }
    }
    ids.length = Math.min(ids.length, room);
    if (endId !== null) ids.push(endId);
    return this.#stripSeparator ? ids.map((id) => (id === endId ? 0 : id)) : ids;
  }
}
