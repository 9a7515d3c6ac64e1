import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fixture } from "../../support/paths.ts";
import { assertRefused, tokenizerFrom } from "../../support/tokenizer-files.ts";

type Json = Record<string, unknown>;
const name = "tokenizer.json";
const read = (): Json & { model: Json & { vocab: Json } } =>
  JSON.parse(readFileSync(fixture("wordpiece/tokenizer.json"), "utf8")) as ReturnType<typeof read>;
const bytes = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));

describe("readWordPieceJson", () => {
  it("reads both kinds of post-processor", async () => {
    const json = read();
    const [sep, cls] = [json.model.vocab["[SEP]"], json.model.vocab["[CLS]"]];
    const processing = { type: "BertProcessing", sep: ["[SEP]", sep], cls: ["[CLS]", cls] };
    const changed = await tokenizerFrom(name, bytes({ ...json, post_processor: processing }));
    const template = await tokenizerFrom(name, bytes(json));
    assert.deepEqual(changed.encode("due gatti"), template.encode("due gatti"));
  });

  it("follows max_input_chars_per_word, with which a file expresses cn_clip's limit", async () => {
    const json = read();
    const word = "a".repeat(101);
    assert.deepEqual((await tokenizerFrom(name, bytes(json))).tokenize(word).pieces, [
      "[CLS]",
      "[UNK]",
      "[SEP]",
    ]);
    json.model["max_input_chars_per_word"] = 200;
    const longer = await tokenizerFrom(name, bytes(json));
    assert.ok(!longer.tokenize(word).pieces.includes("[UNK]"));
  });

  const bert = read();
  const normalizer = bert["normalizer"] as Json;
  const [pad] = bert["added_tokens"] as Json[];
  const refused: readonly (readonly [string, Json, RegExp])[] = [
    ["another normalizer", { normalizer: { type: "Lowercase" } }, /normalizer\.type/],
    ["an unknown option", { normalizer: { ...normalizer, x: 1 } }, /normalizer\.x/],
    ["another pre-tokenizer", { pre_tokenizer: { type: "Whitespace" } }, /pre_tokenizer\.type/],
    ["another template", { post_processor: { type: "RobertaProcessing" } }, /post_processor\.type/],
    [
      "an id that two pieces have",
      { model: { ...bert.model, vocab: { a: 0, b: 0 } } },
      /an id of its own below 2/,
    ],
    ["a gap in the ids", { model: { ...bert.model, vocab: { a: 0, b: 2 } } }, /an id of its own below 2/],
    ["no [UNK]", { model: { ...bert.model, vocab: { a: 0 } } }, /a vocabulary with \[UNK\]/],
    [
      "a padding of another kind",
      { padding: { direction: "Right", pad_token: "<pad>" } },
      /padding\.pad_token/,
    ],
    ["tokens after normalisation", { added_tokens: [{ ...pad, normalized: true }] }, /before normalisation/],
  ];
  for (const [what, change, pattern] of refused) {
    it(`refuses ${what}`, () => assertRefused(name, bytes({ ...bert, ...change }), pattern));
  }
});
