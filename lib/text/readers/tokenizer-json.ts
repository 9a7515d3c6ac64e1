/**
 * What all kinds of Hugging Face's `tokenizer.json` have in common.
 *
 * An unknown property is an error, because it might change the ids.
 *
 * Source: huggingface/tokenizers 0.23.2
 */
import { JsonValue } from "../../json/json-value.ts";
import type { AddedToken } from "../added-tokens.ts";
import type { TokenizerFile } from "../tokenizer.ts";

/** @throws InputError if it is not valid JSON of a known version */
export function parseTokenizerJson(file: TokenizerFile): JsonValue {
  const json = JsonValue.parse(file.bytes, file.name, {
    fix: "only the tokenizer.json of XLM-R and of BERT are supported: use the model's own file, its sentencepiece.bpe.model or its vocab.txt",
  });
  json.at("version").oneOf("1.0");
  // Ids are not decoded.
  json.neutral({ decoder: "any" });
  return json;
}

/** open_clip sets the length itself, but truncates on the side that the file gives. */
export function checkTruncation(truncation: JsonValue): void {
  if (truncation.isMissing) return;
  truncation.neutral({ direction: ["Right"], max_length: "any", strategy: "any", stride: "any" });
  truncation.expectAllRead();
}

/** @param token the padding token */
export function checkPadding(padding: JsonValue, token: string): void {
  if (padding.isMissing) return;
  padding.at("direction").oneOf("Right");
  padding.at("pad_token").oneOf(token);
  padding.neutral({ strategy: "any", pad_to_multiple_of: "any", pad_id: "any", pad_type_id: "any" });
  padding.expectAllRead();
}

/** The pieces of a tokenizer's model. */
export interface KnownPieces {
  readonly size: number;
  /** The id of a piece; undefined if there is none. */
  idOf(piece: string): number | undefined;
  piece(id: number): string | undefined;
}

/** A token of the vocabulary has its id there. Other tokens continue after the vocabulary. */
export function readAddedTokens(list: JsonValue, pieces: KnownPieces): AddedToken[] {
  let nextId = pieces.size;
  return list.items().map((token) => {
    const content = token.at("content").string();
    const id = token.at("id").integer(0);
    if (content === "") throw token.at("content").error("a token with characters");
    token.at("single_word").oneOf(false);
    if (id >= pieces.size) {
      if (pieces.idOf(content) !== undefined || id !== nextId++)
        throw token.at("id").error("the token's id in model.vocab, or the next free one");
    } else if (pieces.piece(id) !== content) {
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

/** The special tokens around a text. */
export interface Template {
  readonly startId: number;
  readonly endId: number;
}

/**
 * Only templates of a start token, the text and an end token are implemented. The template of text pairs is not used.
 *
 * @param start the name of the start token
 * @param end the name of the end token
 */
export function readTemplate(processor: JsonValue, start: string, end: string): Template {
  processor.at("type").oneOf("TemplateProcessing");
  processor.neutral({ pair: "any" });
  const single = processor.at("single");
  const [first, text, last, ...rest] = single.items();
  if (first === undefined || text === undefined || last === undefined || rest.length > 0) {
    throw single.error(`the template ${start} $A ${end}`);
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
  const ids = { startId: special(first, start), endId: special(last, end) };
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
