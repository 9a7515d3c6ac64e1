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
  const json = JsonValue.parse(file.bytes, file.name, {
    fix: "only XLM-R's kind of tokenizer.json is supported: use the model's own file or its sentencepiece.bpe.model",
  });
  json.at("version").oneOf("1.0");
  // Ids are not decoded.
  json.neutral({ decoder: "any" });
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
  json.expectAllRead();
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
  if (truncation.isMissing) return;
  truncation.neutral({ direction: ["Right"], max_length: "any", strategy: "any", stride: "any" });
  truncation.expectAllRead();
}

function checkPadding(padding: JsonValue): void {
  if (padding.isMissing) return;
  padding.at("direction").oneOf("Right");
  padding.at("pad_token").oneOf("<pad>");
  padding.neutral({ strategy: "any", pad_to_multiple_of: "any", pad_id: "any", pad_type_id: "any" });
  padding.expectAllRead();
}

function readModel(model: JsonValue): { vocabulary: Vocabulary; unknownId: number } {
  // Older files omit the type.
  model.neutral({ type: ["Unigram"], byte_fallback: [false] });
  const entries = model.at("vocab").array();
  const vocabulary = new Vocabulary(entries.length, 8 * entries.length);
  for (const [id, entry] of entries.entries()) {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof piece !== "string" || typeof score !== "number" || !Number.isFinite(score)) {
      throw model.at("vocab").items()[id]?.error("a piece and its score") ?? model.error("a vocabulary");
    }
    vocabulary.add(piece, score);
  }
  const unknownId = model.at("unk_id").integer(0, vocabulary.size - 1);
  model.expectAllRead();
  return { vocabulary, unknownId };
}

function readAddedTokens(list: JsonValue, vocabulary: Vocabulary, vocab: JsonValue): AddedToken[] {
  let nextId = vocabulary.size;
  return list.items().map((token) => {
    const content = token.at("content").string();
    const id = token.at("id").integer(0);
    if (content === "") throw token.at("content").error("a token with characters");
    token.at("single_word").oneOf(false);
    // A token of the vocabulary has its id there. Other tokens continue after the vocabulary.
    if (id >= vocabulary.size) {
      const isKnown = vocab.array().some((entry) => Array.isArray(entry) && entry[0] === content);
      if (isKnown || id !== nextId++)
        throw token.at("id").error("the token's id in model.vocab, or the next free one");
    } else if (vocabulary.piece(id) !== content) {
      throw token.at("id").error(`the id of ${JSON.stringify(content)} in model.vocab`);
    }
    const added = {
      content,
      id,
      stripsLeft: token.at("lstrip").boolean(),
      stripsRight: token.at("rstrip").boolean(),
      isNormalized: token.at("normalized").boolean(),
    };
    token.neutral({ special: "any" });
    token.expectAllRead();
    return added;
  });
}

function readNormalizer(normalizer: JsonValue): Normalize {
  if (normalizer.isMissing) return (text) => text;
  const normalize = readNormalizerOfType(normalizer);
  normalizer.expectAllRead();
  return normalize;
}

function readNormalizerOfType(normalizer: JsonValue): Normalize {
  switch (normalizer.at("type").oneOf("Precompiled", "Sequence", "Strip", "Replace")) {
    case "Precompiled": {
      const charsmap = new Charsmap(normalizer.where, decodeBase64(normalizer.at("precompiled_charsmap")));
      return (text) => charsmap.normalize(text);
    }
    case "Sequence": {
      const steps = normalizer.at("normalizers").items().map(readNormalizer);
      return (text) => steps.reduce((current, step) => step(current), text);
    }
    case "Strip": {
      const left = normalizer.at("strip_left").boolean() ? /^\p{White_Space}+/u : /^$/;
      const right = normalizer.at("strip_right").boolean() ? /\p{White_Space}+$/u : /^$/;
      return (text) => text.replace(left, "").replace(right, "");
    }
    case "Replace": {
      const pattern = normalizer.at("pattern");
      const content = normalizer.at("content").string();
      if (!pattern.at("String").isMissing) {
        const literal = pattern.at("String").string();
        if (literal === "") throw pattern.at("String").error("a string with characters");
        pattern.expectAllRead();
        return (text) => text.replaceAll(literal, () => content);
      }
      // The only expression that transformers writes. Others have the syntax of another regular expression engine.
      pattern.at("Regex").oneOf(" {2,}");
      pattern.expectAllRead();
      return (text) => text.replaceAll(/ {2,}/g, () => content);
    }
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
  const preTokenize = readPreTokenizerOfType(preTokenizer);
  preTokenizer.expectAllRead();
  return preTokenize;
}

function readPreTokenizerOfType(preTokenizer: JsonValue): PreTokenize {
  switch (preTokenizer.at("type").oneOf("WhitespaceSplit", "Metaspace", "Sequence")) {
    case "WhitespaceSplit":
      return (texts) => texts.flatMap(splitAtWhiteSpace);
    case "Metaspace": {
      const mark = preTokenizer.at("replacement").string();
      if (Array.from(mark).length !== 1) throw preTokenizer.at("replacement").error("one character");
      preTokenizer.neutral({ split: [true], str_rep: "any" });
      return prepends(preTokenizer)
        ? (texts) => prefixWords(texts, mark)
        : (texts) => markSpaces(texts, mark);
    }
    case "Sequence": {
      const steps = preTokenizer.at("pretokenizers").items().map(readPreTokenizer);
      return (texts) => steps.reduce((current, step) => step(current), texts);
    }
  }
}

/** Newer files have `prepend_scheme`, older ones `add_prefix_space`. If both are given, they must agree. */
function prepends(metaspace: JsonValue): boolean {
  const scheme = metaspace.at("prepend_scheme");
  const flag = metaspace.at("add_prefix_space");
  if (scheme.isMissing) return flag.boolean();
  const result = scheme.oneOf("always", "never") === "always";
  if (!flag.isMissing) flag.oneOf(result);
  return result;
}

/** Only the template `<s> $A </s>` is implemented. The template of text pairs is not used. */
function readPostProcessor(processor: JsonValue): { startId: number; endId: number } {
  processor.at("type").oneOf("TemplateProcessing");
  processor.neutral({ pair: "any" });
  const single = processor.at("single");
  const [start, text, end, ...rest] = single.items();
  if (start === undefined || text === undefined || end === undefined || rest.length > 0) {
    throw single.error("the template <s> $A </s>");
  }
  const special = (item: JsonValue, name: string): number => {
    readTemplateItem(item, "SpecialToken").oneOf(name);
    const token = processor.at("special_tokens").at(name);
    token.neutral({ id: "any", tokens: "any" });
    const [id, ...more] = token.at("ids").items();
    if (id === undefined || more.length > 0) throw token.at("ids").error("one id");
    token.expectAllRead();
    return id.integer(0);
  };
  readTemplateItem(text, "Sequence").oneOf("A");
  const ids = { startId: special(start, "<s>"), endId: special(end, "</s>") };
  processor.expectAllRead();
  return ids;
}

/** The id in `{ "Sequence": { "id": "A", "type_id": 0 } }`. */
function readTemplateItem(item: JsonValue, kind: "Sequence" | "SpecialToken"): JsonValue {
  const named = item.at(kind);
  named.neutral({ type_id: "any" });
  const id = named.at("id");
  named.expectAllRead();
  item.expectAllRead();
  return id;
}
