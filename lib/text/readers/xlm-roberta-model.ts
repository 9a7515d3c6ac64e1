/**
 * XLM-R's `sentencepiece.bpe.model`: a unigram model, despite its name, with its own numbering of ids.
 *
 * XLM-R was trained with fairseq. Its ids are SentencePiece's plus one, with `<s>`, `<pad>`, `</s>`, `<unk>` in place of
 * SentencePiece's `<unk>`, `<s>`, `</s>`, and with `<mask>` at the end.
 *
 * Source: huggingface/transformers, convert_slow_tokenizer.py, XLMRobertaConverter
 */
import { InputError } from "../../errors/input-error.ts";
import type { TokenizerFile } from "../tokenizer.ts";
import { Charsmap } from "../unigram/charsmap.ts";
import { prefixWords, splitAtWhiteSpace } from "../unigram/pre-tokenize.ts";
import type { TokenizerParts } from "../unigram/tokenizer-parts.ts";
import { Vocabulary } from "../unigram/vocabulary.ts";
import {
  modelTypes,
  pieceTypes,
  readSentencePieceModel,
  type SentencePieceModel,
} from "./sentencepiece-model.ts";

const leadingPieces = [
  { piece: "<unk>", type: pieceTypes.unknown },
  { piece: "<s>", type: pieceTypes.control },
  { piece: "</s>", type: pieceTypes.control },
] as const;

const [startId, padId, endId, unknownId] = [0, 1, 2, 3];
const specialTokens = ["<s>", "<pad>", "</s>", "<unk>"];

/** @throws InputError if the file is damaged or is not XLM-R's kind of model */
export function readXlmRobertaModel(file: TokenizerFile): TokenizerParts {
  const model = readSentencePieceModel(file);
  assertXlmRoberta(file.name, model);
  const { size, units } = model.vocabulary;
  const vocabulary = new Vocabulary(size + 2, units.length);
  for (const token of specialTokens) vocabulary.add(token, 0);
  vocabulary.addFrom(model.vocabulary, leadingPieces.length);
  const maskId = vocabulary.size;
  vocabulary.add("<mask>", 0);
  const charsmap = model.charsmap.length === 0 ? undefined : new Charsmap(file.name, model.charsmap);
  return {
    vocabulary,
    unknownId,
    addedTokens: [
      ...specialTokens.map((content, id) => ({ content, id })),
      { content: "<mask>", id: maskId },
    ].map((token) => ({
      ...token,
      stripsLeft: token.id === maskId,
      stripsRight: false,
      isNormalized: false,
    })),
    normalize: (text) => charsmap?.normalize(text) ?? text,
    preTokenize: (text) => prefixWords(splitAtWhiteSpace(text), "▁"),
    startId,
    endId,
    padId,
  };
}

function assertXlmRoberta(
  name: string,
  { vocabulary, types, modelType, byteFallback }: SentencePieceModel,
): void {
  if (modelType !== modelTypes.unigram) {
    throw new InputError(
      `${name}: expected a unigram model (trainer_spec.model_type 1), found type ${modelType}; ` +
        `use XLM-R's sentencepiece.bpe.model`,
    );
  }
  if (byteFallback) {
    throw new InputError(
      `${name}: trainer_spec.byte_fallback is not supported; use XLM-R's sentencepiece.bpe.model`,
    );
  }
  for (const [index, type] of types.entries()) {
    const leading = leadingPieces[index];
    if (leading === undefined) {
      if (type === pieceTypes.normal) continue;
      throw new InputError(
        `${name}: expected pieces[${index}] to be a normal piece (type 1), found type ${type}; ` +
          `use XLM-R's sentencepiece.bpe.model`,
      );
    }
    const piece = vocabulary.piece(index);
    if (piece === leading.piece && type === leading.type) continue;
    throw new InputError(
      `${name}: expected XLM-R's <unk>, <s>, </s> as the first pieces, found ${JSON.stringify(piece.slice(0, 32))} ` +
        `of type ${type} as piece ${index}; models with another numbering are not supported`,
    );
  }
  if (vocabulary.size <= leadingPieces.length) {
    throw new InputError(
      `${name}: expected a SentencePiece model, found ${vocabulary.size} pieces; use XLM-R's sentencepiece.bpe.model`,
    );
  }
}
