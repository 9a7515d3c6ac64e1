/**
 * The `spiece.model` of rinna's Japanese RoBERTa: a unigram model whose ids are SentencePiece's own.
 *
 * Texts are converted to lower case, begin with `[CLS]` and have no end token. (transformers' T5Tokenizer appends one.)
 *
 * Source: rinnakk/japanese-clip, src/japanese_clip/tokenizer.py; google/sentencepiece, src/unigram_model.cc
 */
import { InputError } from "../../errors/input-error.ts";
import type { TokenizerFile } from "../tokenizer.ts";
import { Charsmap } from "../unigram/charsmap.ts";
import { normalizeAsSentencePiece } from "../unigram/sentencepiece-normalizer.ts";
import type { TokenizerParts } from "../unigram/tokenizer-parts.ts";
import { modelTypes, pieceTypes, readSentencePieceModel } from "./sentencepiece-model.ts";

const leadingPieces = ["<unk>", "<s>", "</s>", "[PAD]", "[CLS]", "[SEP]", "[MASK]"];
const [unknownId, padId, startId] = [0, 3, 4];

/** @throws InputError if the file is damaged or is not rinna's kind of model */
export function readRinnaModel(file: TokenizerFile): TokenizerParts {
  const { vocabulary, types, modelType, byteFallback, charsmap: blob } = readSentencePieceModel(file);
  const fix = "use spiece.model of rinna/japanese-roberta-base";
  if (modelType !== modelTypes.unigram || byteFallback) {
    const found = byteFallback ? "byte_fallback" : `model_type ${modelType}`;
    throw new InputError(
      `${file.name}: expected a unigram model without byte fallback, found ${found}; ${fix}`,
    );
  }
  for (const [id, piece] of leadingPieces.entries()) {
    const found = id < vocabulary.size ? vocabulary.piece(id) : "the end of the pieces";
    if (found !== piece || types[id] !== (id === unknownId ? pieceTypes.unknown : pieceTypes.control)) {
      throw new InputError(
        `${file.name}: expected the special piece ${piece} with the id ${id}, found ${JSON.stringify(found.slice(0, 32))} of type ${types[id]}; ${fix}`,
      );
    }
  }
  const other = types.findIndex((type, id) => id >= leadingPieces.length && type !== pieceTypes.normal);
  if (other !== -1) {
    throw new InputError(
      `${file.name}: expected pieces[${other}] to be a normal piece (type 1), found type ${types[other]}; ${fix}`,
    );
  }
  const charsmap = blob.length === 0 ? undefined : new Charsmap(file.name, blob);
  return {
    vocabulary,
    unknownId,
    addedTokens: [],
    normalize: (text) => normalizeAsSentencePiece(text.toLowerCase(), charsmap),
    preTokenize: (text) => [text],
    unigram: { firstPiece: leadingPieces.length, isFloat32: true },
    startId,
    endId: null,
    padId,
  };
}
