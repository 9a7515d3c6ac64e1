/**
 * Reads a Hugging Face `tokenizer.json` of an XLM-R tokenizer: the published file of xlm-roberta-large, and the files
 * that transformers 4 and 5 convert from a `sentencepiece.bpe.model`.
 *
 * Source: huggingface/tokenizers 0.23.2
 */
import { JsonValue } from "../../json/json-value.ts";
import { Charsmap } from "../unigram/charsmap.ts";
import { markSpaces, prefixWords, splitAtWhiteSpace } from "../unigram/pre-tokenize.ts";
import type { TokenizerParts } from "../unigram/tokenizer-parts.ts";
import { Vocabulary } from "../unigram/vocabulary.ts";
import { checkPadding, checkTruncation, readAddedTokens, readTemplate } from "./tokenizer-json.ts";

type Normalize = (text: string) => string;
type PreTokenize = (texts: readonly string[]) => readonly string[];

/** @param json from `parseTokenizerJson` @throws InputError if it is damaged or has content that is not implemented */
export function readUnigramJson(json: JsonValue): TokenizerParts {
  checkTruncation(json.at("truncation"));
  checkPadding(json.at("padding"), "<pad>");
  const { vocabulary, unknownId } = readModel(json.at("model"));
  const entries = json.at("model").at("vocab").array();
  const normalize = readNormalizer(json.at("normalizer"));
  const addedTokens = readAddedTokens(json.at("added_tokens"), {
    size: vocabulary.size,
    piece: (id) => vocabulary.piece(id),
    idOf(piece) {
      const id = entries.findIndex((entry) => Array.isArray(entry) && entry[0] === piece);
      return id === -1 ? undefined : id;
    },
  });
  for (const { content, isNormalized } of addedTokens) {
    if (isNormalized && normalize(content) === "") {
      throw json.at("added_tokens").error(`tokens that the normalizer does not remove, unlike ${content}`);
    }
  }
  const { startId, endId } = readTemplate(json.at("post_processor"), "<s>", "</s>");
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
