/**
 * Reads a Hugging Face `tokenizer.json` of an XLM-R tokenizer: the published file of xlm-roberta-large, and the files
 * that transformers 4 and 5 convert from a `sentencepiece.bpe.model`.
 *
 * An unknown property is an error, because it might change the ids.
 *
 * Source: huggingface/tokenizers 0.23.2
 */
import { Charsmap } from "../unigram/charsmap.ts";
import { JsonValue } from "../../json/json-value.ts";
import { markSpaces, prefixWords, splitAtWhiteSpace } from "../unigram/pre-tokenize.ts";
import type { AddedToken, TokenizerParts } from "../unigram/tokenizer-parts.ts";
import type { TokenizerFile } from "../tokenizer.ts";
import { Vocabulary } from "../unigram/vocabulary.ts";

type Normalize = (text: string) => string;
type PreTokenize = (texts: readonly string[]) => readonly string[];

/** @throws InputError if the file is damaged or has content that is not implemented */
export function readTokenizerJson(file: TokenizerFile): TokenizerParts {
  const json = JsonValue.parse(file.name, file.bytes);
  json.expectKeys([
    "version",
    "truncation",
    "padding",
    "added_tokens",
    "normalizer",
    "pre_tokenizer",
    "post_processor",
    // Ids are not decoded.
    "decoder",
    "model",
  ]);
  json.at("version").expect("1.0");
  checkTruncation(json.at("truncation"));
  checkPadding(json.at("padding"));
  const { vocabulary, unknownId } = readModel(json.at("model"));
  const normalize = readNormalizer(json.at("normalizer"));
  const addedTokens = readAddedTokens(json.at("added_tokens"), vocabulary, json.at("model").at("vocab"));
  for (const { content, isNormalized } of addedTokens) {
    if (isNormalized && normalize(content) === "") {
      throw json.at("added_tokens").error(`tokens that the normalizer does not remove, unlike ${content}`);
    }
  }
  const { startId, endId } = readPostProcessor(json.at("post_processor"));
  const idOf = (content: string): number => {
    const token = addedTokens.find((added) => added.content === content);
    if (token === undefined) throw json.at("added_tokens").error(`a list with ${content}`);
    return token.id;
  };
  if (startId !== idOf("<s>") || endId !== idOf("</s>")) {
    throw json.at("post_processor").error("a template with the ids that added_tokens gives <s> and </s>");
  }
  const preTokenize = readPreTokenizer(json.at("pre_tokenizer"));
  return {
    vocabulary,
    unknownId,
    addedTokens,
    normalize,
    preTokenize: (text) => preTokenize([text]),
    startId,
    endId,
    padId: idOf("<pad>"),
  };
}

/** open_clip sets the length itself, but truncates on the side that the file gives. */
function checkTruncation(truncation: JsonValue): void {
  if (truncation.isMissing()) return;
  truncation.expectKeys(["direction", "max_length", "strategy", "stride"]);
  if (!truncation.at("direction").isMissing()) truncation.at("direction").expect("Right");
}

function checkPadding(padding: JsonValue): void {
  if (padding.isMissing()) return;
  padding.expectKeys(["strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token"]);
  padding.at("direction").expect("Right");
  padding.at("pad_token").expect("<pad>");
}

function readModel(model: JsonValue): { vocabulary: Vocabulary; unknownId: number } {
  // Older files omit the type.
  if (!model.at("type").isMissing()) model.at("type").expect("Unigram");
  model.expectKeys(["type", "unk_id", "vocab", "byte_fallback"]);
  if (!model.at("byte_fallback").isMissing()) model.at("byte_fallback").expect(false);
  const entries = model.at("vocab").array();
  const vocabulary = new Vocabulary(entries.length, 8 * entries.length);
  for (const [id, entry] of entries.entries()) {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof piece !== "string" || typeof score !== "number" || !Number.isFinite(score)) {
      throw model.at("vocab").items()[id]?.error("a piece and its score") ?? model.error("a vocabulary");
    }
    vocabulary.add(piece, score);
  }
  const unknownId = model.at("unk_id").index();
  if (unknownId >= vocabulary.size) throw model.at("unk_id").error(`an id below ${vocabulary.size}`);
  return { vocabulary, unknownId };
}

function readAddedTokens(list: JsonValue, vocabulary: Vocabulary, vocab: JsonValue): AddedToken[] {
  let nextId = vocabulary.size;
  return list.items().map((token) => {
    token.expectKeys(["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"]);
    const content = token.at("content").string();
    const id = token.at("id").index();
    if (content === "") throw token.at("content").error("a token with characters");
    token.at("single_word").expect(false);
    // A token of the vocabulary has its id there. Other tokens continue after the vocabulary.
    if (id >= vocabulary.size) {
      const isKnown = vocab.array().some((entry) => Array.isArray(entry) && entry[0] === content);
      if (isKnown || id !== nextId++)
        throw token.at("id").error("the token's id in model.vocab, or the next free one");
    } else if (vocabulary.piece(id) !== content) {
      throw token.at("id").error(`the id of ${JSON.stringify(content)} in model.vocab`);
    }
    return {
      content,
      id,
      stripsLeft: token.at("lstrip").boolean(),
      stripsRight: token.at("rstrip").boolean(),
      isNormalized: token.at("normalized").boolean(),
    };
  });
}

function readNormalizer(normalizer: JsonValue): Normalize {
  if (normalizer.isMissing()) return (text) => text;
  const type = normalizer.at("type");
  switch (type.value) {
    case "Precompiled": {
      normalizer.expectKeys(["type", "precompiled_charsmap"]);
      const charsmap = new Charsmap(normalizer.file, decodeBase64(normalizer.at("precompiled_charsmap")));
      return (text) => charsmap.normalize(text);
    }
    case "Sequence": {
      normalizer.expectKeys(["type", "normalizers"]);
      const steps = normalizer.at("normalizers").items().map(readNormalizer);
      return (text) => steps.reduce((current, step) => step(current), text);
    }
    case "Strip": {
      normalizer.expectKeys(["type", "strip_left", "strip_right"]);
      const left = normalizer.at("strip_left").boolean() ? /^\p{White_Space}+/u : /^$/;
      const right = normalizer.at("strip_right").boolean() ? /\p{White_Space}+$/u : /^$/;
      return (text) => text.replace(left, "").replace(right, "");
    }
    case "Replace": {
      normalizer.expectKeys(["type", "pattern", "content"]);
      const pattern = normalizer.at("pattern");
      pattern.expectKeys(["Regex", "String"]);
      const content = normalizer.at("content").string();
      if (!pattern.at("String").isMissing()) {
        const literal = pattern.at("String").string();
        if (literal === "") throw pattern.at("String").error("a string with characters");
        return (text) => text.replaceAll(literal, () => content);
      }
      // The only expression that transformers writes. Others have the syntax of another regular expression engine.
      pattern.at("Regex").expect(" {2,}");
      return (text) => text.replaceAll(/ {2,}/g, () => content);
    }
    default:
      throw type.error('"Precompiled", "Sequence", "Strip" or "Replace"');
  }
}

function decodeBase64(text: JsonValue): Uint8Array {
  const encoded = text.string();
  try {
    return Uint8Array.from(atob(encoded), (byte) => byte.charCodeAt(0));
  } catch {
    throw text.error("base64");
  }
}

function readPreTokenizer(preTokenizer: JsonValue): PreTokenize {
  const type = preTokenizer.at("type");
  switch (type.value) {
    case "WhitespaceSplit":
      preTokenizer.expectKeys(["type"]);
      return (texts) => texts.flatMap(splitAtWhiteSpace);
    case "Metaspace": {
      preTokenizer.expectKeys([
        "type",
        "replacement",
        "prepend_scheme",
        "split",
        "add_prefix_space",
        "str_rep",
      ]);
      const mark = preTokenizer.at("replacement").string();
      if (Array.from(mark).length !== 1) throw preTokenizer.at("replacement").error("one character");
      if (!preTokenizer.at("split").isMissing()) preTokenizer.at("split").expect(true);
      return prepends(preTokenizer)
        ? (texts) => prefixWords(texts, mark)
        : (texts) => markSpaces(texts, mark);
    }
    case "Sequence": {
      preTokenizer.expectKeys(["type", "pretokenizers"]);
      const steps = preTokenizer.at("pretokenizers").items().map(readPreTokenizer);
      return (texts) => steps.reduce((current, step) => step(current), texts);
    }
    default:
      throw type.error('"WhitespaceSplit", "Metaspace" or "Sequence"');
  }
}

/** Newer files have `prepend_scheme`, older ones `add_prefix_space`. If both are given, they must agree. */
function prepends(metaspace: JsonValue): boolean {
  const scheme = metaspace.at("prepend_scheme");
  const flag = metaspace.at("add_prefix_space");
  if (scheme.isMissing()) return flag.boolean();
  scheme.expect("always", "never");
  const result = scheme.value === "always";
  if (!flag.isMissing()) flag.expect(result);
  return result;
}

/** Only the template `<s> $A </s>` is implemented. The template of text pairs is not used. */
function readPostProcessor(processor: JsonValue): { startId: number; endId: number } {
  processor.at("type").expect("TemplateProcessing");
  processor.expectKeys(["type", "single", "pair", "special_tokens"]);
  const single = processor.at("single");
  const [start, text, end, ...rest] = single.items();
  if (start === undefined || text === undefined || end === undefined || rest.length > 0) {
    throw single.error("the template <s> $A </s>");
  }
  const special = (item: JsonValue, name: string): number => {
    item.expectKeys(["SpecialToken"]);
    item.at("SpecialToken").expectKeys(["id", "type_id"]);
    item.at("SpecialToken").at("id").expect(name);
    const token = processor.at("special_tokens").at(name);
    token.expectKeys(["id", "ids", "tokens"]);
    const [id, ...more] = token.at("ids").items();
    if (id === undefined || more.length > 0) throw token.at("ids").error("one id");
    return id.index();
  };
  text.expectKeys(["Sequence"]);
  text.at("Sequence").expectKeys(["id", "type_id"]);
  text.at("Sequence").at("id").expect("A");
  return { startId: special(start, "<s>"), endId: special(end, "</s>") };
}
