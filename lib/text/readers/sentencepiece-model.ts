/**
 * Reads a SentencePiece model: the protocol buffer `ModelProto`.
 *
 * pbf decodes the wire format but trusts the lengths and wire types that it finds, so this file checks both: a damaged
 * file must cause an error, not wrong ids.
 *
 * Source: google/sentencepiece, src/sentencepiece_model.proto (field numbers, enumerations, defaults)
 */
import { PbfReader } from "pbf";
import { InputError } from "../../errors/input-error.ts";
import type { TokenizerFile } from "../tokenizer.ts";
import { Vocabulary } from "../unigram/vocabulary.ts";

export const pieceTypes = { normal: 1, unknown: 2, control: 3 } as const;
export const modelTypes = { unigram: 1 } as const;

export interface SentencePieceModel {
  /** Pieces and scores, numbered as in the file. */
  readonly vocabulary: Vocabulary;
  /** Each piece's type, one of {@link pieceTypes} or another of SentencePiece's. */
  readonly types: readonly number[];
  /** One of {@link modelTypes} or another of SentencePiece's. */
  readonly modelType: number;
  readonly byteFallback: boolean;
  /** Empty if the model does not normalise. */
  readonly charsmap: Uint8Array;
}

const wireTypes = { varint: 0, bytes: 2, fixed32: 5 } as const;
const none = new Uint8Array(0);

/** @throws InputError if the file is damaged or is not a SentencePiece model */
export function readSentencePieceModel({ name, bytes }: TokenizerFile): SentencePieceModel {
  // XLM-R's file has 250,000 pieces in 5 MB.
  const vocabulary = new Vocabulary(bytes.length >> 4, bytes.length >> 1);
  const types: number[] = [];
  const trainer = { isFound: false, modelType: modelTypes.unigram as number, byteFallback: 0 };
  const normalizer = { isFound: false, charsmap: none };
  const reader = new PbfReader(bytes);
  try {
    readFields(reader, bytes.length, {}, (field) => {
      if (field === 1) {
        types.push(addPiece(name, readMessage(reader, "pieces", emptyPiece(), readPieceField), vocabulary));
      } else if (field === 2) {
        readMessage(reader, "trainer_spec", trainer, readTrainerField);
        trainer.isFound = true;
      } else if (field === 3) {
        readMessage(reader, "normalizer_spec", normalizer, readNormalizerField);
        normalizer.isFound = true;
      }
    });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${name}: expected a SentencePiece model, found a protocol buffer damaged at byte ${reader.pos} ` +
        `(${(error as Error).message}); download the file again`,
      [],
      { cause: error },
    );
  }
  if (types.length === 0) {
    throw new InputError(
      `${name}: expected a SentencePiece model, found no pieces in ${bytes.length} bytes; download the file again`,
    );
  }
  // Both follow the pieces, so a file that was cut off between two pieces lacks them.
  if (!trainer.isFound || !normalizer.isFound) {
    throw new InputError(
      `${name}: expected trainer_spec and normalizer_spec after the pieces, found the end of the file after ` +
        `${types.length} pieces; download the file again`,
    );
  }
  return {
    vocabulary,
    types,
    modelType: trainer.modelType,
    byteFallback: trainer.byteFallback !== 0,
    charsmap: normalizer.charsmap,
  };
}

interface Piece {
  text: Uint8Array;
  score: number;
  type: number;
}

function emptyPiece(): Piece {
  return { text: none, score: 0, type: pieceTypes.normal };
}

function readPieceField(field: number, piece: Piece, reader: PbfReader): void {
  if (field === 1) {
    expectWireType(reader, wireTypes.bytes, "pieces.piece");
    piece.text = reader.readBytes();
  } else if (field === 2) {
    expectWireType(reader, wireTypes.fixed32, "pieces.score");
    piece.score = reader.readFloat();
  } else if (field === 3) {
    expectWireType(reader, wireTypes.varint, "pieces.type");
    piece.type = reader.readVarint();
  }
}

/** Adds a piece to the vocabulary and returns its type. */
function addPiece(name: string, { text, score, type }: Piece, vocabulary: Vocabulary): number {
  if (!Number.isFinite(score)) {
    throw new InputError(
      `${name}: expected pieces[${vocabulary.size}].score to be a finite number, found ${score}; ` +
        `download the file again`,
    );
  }
  if (text.length === 0 || !vocabulary.addUtf8(text, score)) {
    throw new InputError(
      `${name}: expected pieces[${vocabulary.size}].piece to be UTF-8 text, ` +
        `found ${text.length === 0 ? "nothing" : "other bytes"}; download the file again`,
    );
  }
  return type;
}

function readTrainerField(
  field: number,
  trainer: { modelType: number; byteFallback: number },
  reader: PbfReader,
): void {
  if (field === 3) {
    expectWireType(reader, wireTypes.varint, "trainer_spec.model_type");
    trainer.modelType = reader.readVarint();
  } else if (field === 35) {
    expectWireType(reader, wireTypes.varint, "trainer_spec.byte_fallback");
    trainer.byteFallback = reader.readVarint();
  }
}

function readNormalizerField(field: number, normalizer: { charsmap: Uint8Array }, reader: PbfReader): void {
  if (field !== 2) return;
  expectWireType(reader, wireTypes.bytes, "normalizer_spec.precompiled_charsmap");
  normalizer.charsmap = reader.readBytes();
}

/** Reads one field's value, or leaves it: pbf then skips it. */
type ReadField<T> = (field: number, message: T, reader: PbfReader) => void;

function readMessage<T>(reader: PbfReader, path: string, message: T, readField: ReadField<T>): T {
  expectWireType(reader, wireTypes.bytes, path);
  return readFields(reader, reader.readVarint() + reader.pos, message, readField);
}

/** Reads fields up to byte `end`. */
function readFields<T>(reader: PbfReader, end: number, message: T, readField: ReadField<T>): T {
  reader.readFields(readField, message, end);
  // This fails after a length beyond the message's end, or after a field number 0, at which pbf stops.
  if (reader.pos !== end) throw new RangeError(`expected a message to end at byte ${end}`);
  return message;
}

function expectWireType(reader: PbfReader, expected: number, path: string): void {
  if (reader.type === expected) return;
  throw new TypeError(`expected ${path} to be of wire type ${expected}, found ${reader.type}`);
}
