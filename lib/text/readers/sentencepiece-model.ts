/**
 * Reads XLM-R's `sentencepiece.bpe.model` and lays its pieces out as XLM-R numbers them.
 *
 * The file is the protocol buffer ModelProto of google/sentencepiece, src/sentencepiece_model.proto; despite its name
 * it holds a unigram model. XLM-R was trained with fairseq, whose ids are SentencePiece's plus one, with `<s>`,
 * `<pad>`, `</s>`, `<unk>` in front and `<mask>` behind (huggingface/transformers, convert_slow_tokenizer.py,
 * XLMRobertaConverter).
 */
import { InputError } from "../../errors/input-error.ts";
import { Charsmap } from "../unigram/charsmap.ts";
import { MessageReader, WireType, type Field } from "./protobuf.ts";
import type { TokenizerParts } from "../unigram/tokenizer-parts.ts";
import { splitAtWhiteSpace, prefixWords } from "../unigram/pre-tokenize.ts";
import type { TokenizerFile } from "../tokenizer.ts";
import { Vocabulary } from "../unigram/vocabulary.ts";

// Field numbers of the proto file.
const Model = { pieces: 1, trainerSpec: 2, normalizerSpec: 3 } as const;
const Piece = { piece: 1, score: 2, type: 3 } as const;
const TrainerSpec = { modelType: 3, byteFallback: 35 } as const;
const NormalizerSpec = { precompiledCharsmap: 2 } as const;

// Values of its enumerations.
const UNIGRAM = 1;
const PieceType = { normal: 1, unknown: 2, control: 3 } as const;

/** What SentencePiece's first three ids must be; fairseq's four stand for them. */
const leadingPieces = [
  { piece: "<unk>", type: PieceType.unknown },
  { piece: "<s>", type: PieceType.control },
  { piece: "</s>", type: PieceType.control },
] as const;

const UNKNOWN_ID = 3;

/** @throws InputError where the file is damaged, or holds something else than XLM-R's kind of model */
export function readSentencePieceModel(file: TokenizerFile): TokenizerParts {
  const { name, bytes } = file;
  const model = new MessageReader(name, bytes);
  // The published file has 250,000 pieces in 5 MB.
  const vocabulary = new Vocabulary(bytes.length >> 4, bytes.length >> 1);
  for (const special of ["<s>", "<pad>", "</s>", "<unk>"]) vocabulary.add(special, 0);
  let pieces = 0;
  let charsmap: Charsmap | undefined;
  let hasTrainerSpec = false;
  let hasNormalizerSpec = false;
  for (let field = model.next(); field !== undefined; field = model.next()) {
    switch (field.number) {
      case Model.pieces:
        expectWireType(name, "pieces", field, WireType.bytes);
        readPiece(file, field, pieces++, vocabulary);
        break;
      case Model.trainerSpec:
        expectWireType(name, "trainer_spec", field, WireType.bytes);
        checkTrainerSpec(file, field);
        hasTrainerSpec = true;
        break;
      case Model.normalizerSpec:
        expectWireType(name, "normalizer_spec", field, WireType.bytes);
        charsmap = readCharsmap(file, field);
        hasNormalizerSpec = true;
        break;
    }
  }
  if (pieces <= leadingPieces.length) {
    throw new InputError(
      `${name}: expected a SentencePiece model, found ${pieces} pieces in ${bytes.length} bytes; ` +
        `take the model's own sentencepiece.bpe.model`,
    );
  }
  // They stand behind the pieces: a file that was cut off between two pieces lacks them.
  if (!hasTrainerSpec || !hasNormalizerSpec) {
    throw new InputError(
      `${name}: expected trainer_spec and normalizer_spec behind the pieces, found the end of the file after ` +
        `${pieces} pieces; it is cut off, download it again`,
    );
  }
  vocabulary.add("<mask>", 0);
  const addedTokens = ["<s>", "<pad>", "</s>", "<unk>"].map((content, id) => ({ content, id }));
  return {
    vocabulary,
    unknownId: UNKNOWN_ID,
    addedTokens: [...addedTokens, { content: "<mask>", id: vocabulary.size - 1 }].map((token) => ({
      ...token,
      stripsLeft: token.content === "<mask>",
      stripsRight: false,
      isNormalized: false,
    })),
    normalize: (text) => (charsmap === undefined ? text : charsmap.normalize(text)),
    preTokenize: (text) => prefixWords(splitAtWhiteSpace(text), "▁"),
    startId: 0,
    endId: 2,
    padId: 1,
  };
}

function readPiece(file: TokenizerFile, message: Field, index: number, vocabulary: Vocabulary): void {
  const { name, bytes } = file;
  const reader = new MessageReader(name, bytes, message.start, message.end);
  let [start, end] = [message.start, message.start];
  let score = 0;
  let type: number = PieceType.normal;
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    switch (field.number) {
      case Piece.piece:
        expectWireType(name, `pieces[${index}].piece`, field, WireType.bytes);
        ({ start, end } = field);
        break;
      case Piece.score:
        expectWireType(name, `pieces[${index}].score`, field, WireType.fixed32);
        score = new DataView(bytes.buffer, bytes.byteOffset + field.start, 4).getFloat32(0, true);
        break;
      case Piece.type:
        expectWireType(name, `pieces[${index}].type`, field, WireType.varint);
        type = field.value;
        break;
    }
  }
  const leading = leadingPieces[index];
  if (leading !== undefined) {
    const piece = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 32)));
    if (piece !== leading.piece || type !== leading.type) {
      throw new InputError(
        `${name}: expected XLM-R's <unk>, <s>, </s> as the first pieces, found ${JSON.stringify(piece)} of type ` +
          `${type} as piece ${index}; models numbered in another way are not supported`,
      );
    }
    return;
  }
  if (type !== PieceType.normal) {
    throw new InputError(
      `${name}: expected pieces[${index}] to be a normal piece (type 1), found type ${type}; ` +
        `XLM-R's model has no other types behind the first three pieces`,
    );
  }
  if (!Number.isFinite(score)) {
    throw new InputError(
      `${name}: expected pieces[${index}].score to be a number, found ${score}; the file is damaged, ` +
        `download it again`,
    );
  }
  if (start === end || !vocabulary.addUtf8(bytes, start, end, score)) {
    throw new InputError(
      `${name}: expected pieces[${index}].piece to be text in UTF-8, found ${start === end ? "nothing" : "other bytes"}; ` +
        `the file is damaged, download it again`,
    );
  }
}

function checkTrainerSpec({ name, bytes }: TokenizerFile, message: Field): void {
  const reader = new MessageReader(name, bytes, message.start, message.end);
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    if (field.number === TrainerSpec.modelType) {
      expectWireType(name, "trainer_spec.model_type", field, WireType.varint);
      if (field.value !== UNIGRAM) {
        throw new InputError(
          `${name}: expected a unigram model (trainer_spec.model_type 1), found type ${field.value}; ` +
            `XLM-R's sentencepiece.bpe.model is one, despite its name`,
        );
      }
    } else if (field.number === TrainerSpec.byteFallback) {
      expectWireType(name, "trainer_spec.byte_fallback", field, WireType.varint);
      if (field.value !== 0) {
        throw new InputError(
          `${name}: trainer_spec.byte_fallback is not supported; XLM-R's model does without`,
        );
      }
    }
  }
}

function readCharsmap({ name, bytes }: TokenizerFile, message: Field): Charsmap | undefined {
  const reader = new MessageReader(name, bytes, message.start, message.end);
  let blob: Uint8Array = new Uint8Array(0);
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    if (field.number === NormalizerSpec.precompiledCharsmap) {
      expectWireType(name, "normalizer_spec.precompiled_charsmap", field, WireType.bytes);
      blob = bytes.subarray(field.start, field.end);
    }
  }
  return blob.length === 0 ? undefined : new Charsmap(name, blob);
}

function expectWireType(file: string, path: string, field: Field, expected: number): void {
  if (field.wireType === expected) return;
  throw new InputError(
    `${file}: expected ${path} at byte ${field.start} to be of wire type ${expected}, found ${field.wireType}; ` +
      `the file is damaged or no SentencePiece model, download it again`,
  );
}
