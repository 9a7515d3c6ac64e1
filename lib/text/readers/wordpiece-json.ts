/**
 * Reads a Hugging Face `tokenizer.json` of a BERT tokenizer.
 *
 * Source: huggingface/tokenizers 0.23.2, normalizers/bert.rs, models/wordpiece, processors/bert.rs
 */
import type { JsonValue } from "../../json/json-value.ts";
import { huggingFaceWords, type BertNormalizerOptions } from "../wordpiece/bert-words.ts";
import type { WordPieceParts } from "../wordpiece/wordpiece-tokenizer.ts";
import {
  checkPadding,
  checkTruncation,
  readAddedTokens,
  readTemplate,
  type Template,
} from "./tokenizer-json.ts";

/** @param json from `parseTokenizerJson` @throws InputError if it is damaged or has content that is not implemented */
export function readWordPieceJson(json: JsonValue): WordPieceParts {
  checkTruncation(json.at("truncation"));
  checkPadding(json.at("padding"), "[PAD]");
  const model = json.at("model");
  model.at("type").oneOf("WordPiece");
  const ids = readVocabulary(model.at("vocab"));
  const pieces = new Map([...ids].map(([piece, id]) => [id, piece]));
  const idOf = (token: string): number => {
    const id = ids.get(token);
    if (id === undefined) throw model.at("vocab").error(`a vocabulary with ${token}`);
    return id;
  };
  const prefix = model.at("continuing_subword_prefix").or("##").string();
  const longestWord = model.at("max_input_chars_per_word").or(100).integer(1);
  const unknownId = idOf(model.at("unk_token").or("[UNK]").string());
  model.expectAllRead();

  const addedTokens = readAddedTokens(json.at("added_tokens"), {
    size: ids.size,
    idOf: (piece) => ids.get(piece),
    piece: (id) => pieces.get(id),
  });
  if (addedTokens.some(({ isNormalized }) => isNormalized)) {
    throw json.at("added_tokens").error("tokens that are matched before normalisation (normalized: false)");
  }
  const splitWords = huggingFaceWords(readNormalizer(json.at("normalizer")));
  json.at("pre_tokenizer").at("type").oneOf("BertPreTokenizer");
  json.at("pre_tokenizer").expectAllRead();
  const { startId, endId } = readPostProcessor(json.at("post_processor"));
  if (startId !== idOf("[CLS]") || endId !== idOf("[SEP]")) {
    throw json.at("post_processor").error("the ids that model.vocab gives [CLS] and [SEP]");
  }
  json.expectAllRead();
  return {
    ids,
    addedTokens,
    splitWords,
    longestWord,
    prefix,
    unknownId,
    startId,
    endId,
    padId: idOf("[PAD]"),
  };
}

/** The ids are 0, 1, 2, … in any order. */
function readVocabulary(vocab: JsonValue): Map<string, number> {
  const entries = Object.entries(vocab.object());
  const isUsed = new Uint8Array(entries.length);
  const ids = new Map<string, number>();
  for (const [piece, id] of entries) {
    if (typeof id !== "number" || isUsed[id] !== 0) {
      throw vocab.at(piece).error(`an id of its own below ${entries.length}`);
    }
    isUsed[id] = 1;
    ids.set(piece, id);
  }
  return ids;
}

function readNormalizer(normalizer: JsonValue): BertNormalizerOptions {
  normalizer.at("type").oneOf("BertNormalizer");
  const lowercase = normalizer.at("lowercase").boolean();
  const options = {
    cleanText: normalizer.at("clean_text").boolean(),
    handleChinese: normalizer.at("handle_chinese_chars").boolean(),
    // null follows lower-casing.
    stripAccents: normalizer.at("strip_accents").or(lowercase).boolean(),
    lowercase,
  };
  normalizer.expectAllRead();
  return options;
}

function readPostProcessor(processor: JsonValue): Template {
  const type = processor.at("type").oneOf("TemplateProcessing", "BertProcessing");
  if (type === "TemplateProcessing") return readTemplate(processor, "[CLS]", "[SEP]");
  const idOf = (key: string, token: string): number => {
    const pair = processor.at(key);
    const [name, id, ...rest] = pair.items();
    if (name === undefined || id === undefined || rest.length > 0) throw pair.error(`["${token}", id]`);
    name.oneOf(token);
    return id.integer(0);
  };
  const template = { startId: idOf("cls", "[CLS]"), endId: idOf("sep", "[SEP]") };
  processor.expectAllRead();
  return template;
}
