import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { fixture } from "../../support/paths.ts";
import { assertHarmless, assertRefused, tokenizerFrom } from "../../support/tokenizer-files.ts";

const json = readFileSync(fixture("tokenizer/tokenizer.json"), "utf8");

/** The fixture's JSON with one value changed. */
function changed(path: string, value: unknown): Uint8Array {
  const root = JSON.parse(json) as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let target = root;
  for (const key of keys) target = target[key] as Record<string, unknown>;
  target[last] = value;
  return new TextEncoder().encode(JSON.stringify(root));
}

describe("readUnigramJson", () => {
  const name = "tokenizer.json";
  const split = { type: "WhitespaceSplit" };
  const mask = {
    id: 999,
    content: "<x>",
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  };

  const cases: (readonly [path: string, value: unknown, pattern: RegExp])[] = [
    ["version", "2.0", /version/],
    ["surprise", 1, /surprise/],
    [
      "truncation",
      { direction: "Left", max_length: 5, strategy: "LongestFirst", stride: 0 },
      /truncation\.direction/,
    ],
    ["padding", { direction: "Left", pad_token: "<pad>" }, /padding\.direction/],
    ["padding", { direction: "Right", pad_token: "</s>" }, /padding\.pad_token/],
    ["normalizer", { type: "NFKC" }, /normalizer\.type .* found "NFKC"/],
    [
      "normalizer",
      { type: "Sequence", normalizers: [{ type: "Lowercase" }] },
      /normalizer\.normalizers\[0\]\.type/,
    ],
    ["normalizer", { type: "Replace", pattern: { Regex: "a+" }, content: "" }, /pattern\.Regex/],
    ["normalizer", { type: "Replace", pattern: { String: "" }, content: "" }, /pattern\.String/],
    ["normalizer", { type: "Precompiled", precompiled_charsmap: "AAAA" }, /character map/],
    ["normalizer", { type: "Precompiled", precompiled_charsmap: "*" }, /base64/],
    ["normalizer", { type: "Precompiled", precompiled_charsmap: 5 }, /a string/],
    ["pre_tokenizer", { type: "ByteLevel" }, /pre_tokenizer\.type .* found "ByteLevel"/],
    ["pre_tokenizer", null, /pre_tokenizer/],
    ["pre_tokenizer", { ...split, extra: 1 }, /pre_tokenizer\.extra/],
    ["pre_tokenizer", { type: "Metaspace", replacement: "▁", prepend_scheme: "first" }, /prepend_scheme/],
    [
      "pre_tokenizer",
      { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: false },
      /split/,
    ],
    ["pre_tokenizer", { type: "Metaspace", replacement: "▁▁", prepend_scheme: "always" }, /replacement/],
    ["pre_tokenizer", { type: "Metaspace", replacement: "▁" }, /add_prefix_space/],
    ["post_processor", null, /post_processor/],
    ["post_processor.type", "RobertaProcessing", /post_processor\.type/],
    ["post_processor.single", [{ Sequence: { id: "A", type_id: 0 } }], /post_processor\.single/],
    ["post_processor.special_tokens.<s>.ids", [7], /post_processor/],
    ["post_processor.special_tokens.<s>.ids", [0, 0], /one id/],
    ["model.type", "BPE", /model\.type/],
    ["model.byte_fallback", true, /byte_fallback/],
    ["model.unk_id", null, /unk_id/],
    ["model.unk_id", 1e9, /unk_id/],
    ["model.dropout", 0.1, /dropout/],
    ["model.vocab", {}, /model\.vocab/],
    ["model.vocab", [], /unk_id/],
    ["model.vocab", [["a"]], /model\.vocab\[0\]/],
    ["model.vocab", [["a", "b"]], /model\.vocab\[0\]/],
    ["model.vocab", [[1, 2]], /model\.vocab\[0\]/],
    ["model.vocab", ["ab"], /model\.vocab\[0\]/],
    ["added_tokens", [], /<s>/],
    ["added_tokens", {}, /an array/],
    ["added_tokens.0.single_word", true, /single_word/],
    ["added_tokens.0.content", "", /content/],
    ["added_tokens.0.content", "<S>", /added_tokens\[0\]\.id/],
    ["added_tokens.0.id", -1, /added_tokens\[0\]\.id/],
    ["added_tokens.0.lstrip", "yes", /lstrip/],
    ["added_tokens.5", mask, /added_tokens\[5\]\.id/],
    ["added_tokens.5", { ...mask, id: 2 ** 40 }, /added_tokens\[5\]\.id/],
  ];
  for (const [path, value, pattern] of cases) {
    it(`refuses ${path} = ${JSON.stringify(value)}`, async () => {
      await assertRefused(name, changed(path, value), pattern);
    });
  }

  it("accepts added tokens after the vocabulary", async () => {
    const { model } = JSON.parse(json) as { model: { vocab: unknown[] } };
    const tokenizer = await tokenizerFrom(
      name,
      changed("added_tokens.5", { ...mask, id: model.vocab.length }),
    );
    const { pieces, ids } = tokenizer.tokenize("a<x>");
    assert.equal(pieces.at(-2), "<x>");
    assert.equal(ids.at(-2), model.vocab.length);
    assert.equal(tokenizer.vocabSize, model.vocab.length + 1);
  });

  it("refuses a file truncated at any position", async () => {
    const bytes = new TextEncoder().encode(json.trimEnd());
    for (let length = 0; length < bytes.length; length += 997)
      await assertRefused(name, bytes.subarray(0, length), /JSON/);
  });

  it("refuses a file with one changed byte, or gives a tokenizer that works", async () => {
    const bytes = new TextEncoder().encode(json);
    const property = fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
      const damaged = bytes.slice();
      damaged[at] = value;
      await assertHarmless(name, damaged);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it("refuses other documents", async () => {
    for (const text of [
      "",
      "null",
      "[]",
      "5",
      '"x"',
      "{}",
      "[".repeat(200_000),
      '{"__proto__":{}}',
      "\ufeff{}",
    ]) {
      await assertRefused(name, new TextEncoder().encode(text));
    }
  });
});
