/**
 * XLM-R's tokenizer as open_clip uses it: cleaning, added tokens, normalisation, words, unigram pieces, `<s>` and
 * `</s>`, cut to the context length.
 *
 * Mirrors open_clip 3.3.0's HFTokenizer over Hugging Face's fast XLM-R tokenizer (tokenizers 0.23.2).
 */
import { AddedTokenSplitter } from "./added-tokens.ts";
import { cleaners } from "../clean/clean.ts";
import { checkContextLength } from "../context-length.ts";
import { readSentencePieceModel } from "../readers/sentencepiece-model.ts";
import { readTokenizerJson } from "../readers/tokenizer-json.ts";
import type { TokenizerParts } from "./tokenizer-parts.ts";
import type { TokenizedText, Tokenizer, TokenizerFile } from "../tokenizer.ts";
import { Unigram } from "./unigram.ts";

/**
 * Reads a `tokenizer.json` (by its name's ending) or else a `sentencepiece.bpe.model`.
 *
 * @throws InputError where the file is damaged, or says something that is not implemented; where `contextLength` is
 *   under 2, which leaves no room for `<s>` and `</s>`
 */
export function createXlmRobertaTokenizer(
  file: TokenizerFile,
  options: XlmRobertaTokenizerOptions,
): Tokenizer {
  checkContextLength(options.contextLength);
  const parts = file.name.endsWith(".json") ? readTokenizerJson(file) : readSentencePieceModel(file);
  return new XlmRobertaTokenizer(parts, options);
}

export interface XlmRobertaTokenizerOptions {
  readonly contextLength: number;
  /** Default: whitespace, as open_clip's. */
  readonly clean?: keyof typeof cleaners;
  /** Write 0 in the place of every `</s>`, as open_clip's `strip_sep_token`. Default: false. */
  readonly stripSeparator?: boolean;
}

class XlmRobertaTokenizer implements Tokenizer {
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
    { contextLength, clean = "whitespace", stripSeparator = false }: XlmRobertaTokenizerOptions,
  ) {
    this.#clean = cleaners[clean];
    this.#stripSeparator = stripSeparator;
    this.#parts = parts;
    this.#unigram = new Unigram(parts.vocabulary, parts.unknownId);
    this.contextLength = contextLength;
    this.vocabSize = Math.max(parts.vocabulary.size, ...parts.addedTokens.map((token) => token.id + 1));
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
    const room = this.contextLength - 1;
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
          // What comes after the context's end changes nothing before it.
          if (ids.length >= room) break;
          this.#unigram.encode(word, ids);
        }
      }
    }
    ids.length = Math.min(ids.length, room);
    ids.push(endId);
    return this.#stripSeparator ? ids.map((id) => (id === endId ? 0 : id)) : ids;
  }
}
