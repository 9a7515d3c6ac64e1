import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { createXlmRobertaTokenizer } from "../../../lib/text/tokenizer.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { fixture } from "../../support/paths.ts";

const model = new Uint8Array(readFileSync(fixture("tokenizer/sentencepiece.bpe.model")));
const json = readFileSync(fixture("tokenizer/tokenizer.json"), "utf8");

const modelName = "sentencepiece.bpe.model";

function create(name: string, bytes: Uint8Array) {
  return createXlmRobertaTokenizer({ name, bytes }, { contextLength: 77 });
}

/** One line that begins with the file's name. */
function assertRefused(name: string, bytes: Uint8Array, pattern = /./): void {
  assert.throws(
    () => create(name, bytes),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.ok(error.message.startsWith(`${name}: `), error.message);
      assert.doesNotMatch(error.message, /\n/);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

/** Refused, or a tokenizer that works: nothing else may come of a damaged file. */
function assertHarmless(name: string, bytes: Uint8Array): void {
  try {
    create(name, bytes).tokenize("Il gatto ﬁ Å´\u0301 猫 e\u0301 <mask> ½");
  } catch (error) {
    assert.ok(error instanceof InputError, error instanceof Error ? error.stack : String(error));
    assert.doesNotMatch(error.message, /\n/);
  }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

function field(number: number, payload: readonly number[]): number[] {
  return [...varint(number * 8 + 2), ...varint(payload.length), ...payload];
}

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));
const float = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];
const piece = (text: readonly number[], score: number, type: number): number[] =>
  field(1, [...field(1, text), 0x15, ...float(score), 0x18, type]);

const leading = [...piece(ascii("<unk>"), 0, 2), ...piece(ascii("<s>"), 0, 3), ...piece(ascii("</s>"), 0, 3)];
const trainerSpec = field(2, [0x18, 1]);
const normalizerSpec = field(3, []);

function assertModelRefused(bytes: readonly number[], pattern: RegExp): void {
  assertRefused(modelName, Uint8Array.from(bytes), pattern);
}

describe("damaged sentencepiece.bpe.model", () => {
  it("is sound when written by hand", () => {
    const bytes = [...leading, ...piece(ascii("a"), -1, 1), ...trainerSpec, ...normalizerSpec];
    assert.deepEqual(create(modelName, Uint8Array.from(bytes)).encode("ab"), [0, 3, 4, 3, 2]);
  });

  it("is refused wherever it is cut off", () => {
    for (let length = 0; length < model.length; length += 97)
      assertRefused(modelName, model.subarray(0, length));
  });

  it("is refused between any two fields", () => {
    const [a, b] = [piece(ascii("a"), -1, 1), piece(ascii("b"), -1, 1)];
    assertModelRefused([...leading, ...a], /normalizer_spec/);
    assertModelRefused([...leading, ...a, ...b, ...trainerSpec], /normalizer_spec/);
    assertModelRefused([...leading, ...trainerSpec, ...normalizerSpec], /found 3 pieces/);
  });

  it("is refused or harmless with single bytes changed", () => {
    const property = fc.property(fc.nat(model.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = model.slice();
      bytes[at] = (bytes[at] ?? 0) ^ change;
      assertHarmless(modelName, bytes);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it("is refused when it is something else", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      assertRefused(modelName, bytes);
    });
    fc.assert(property, { numRuns: 1000 });
    assertRefused(
      modelName,
      new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    );
    assertRefused(modelName, new TextEncoder().encode(json));
  });

  it("is refused with wrong wire types and lengths", () => {
    assertModelRefused([0x08, 1], /pieces at byte 1 to be of wire type 2, found 0/);
    assertModelRefused(
      [...leading, ...field(1, [0x08, 1])],
      /pieces\[3\]\.piece at byte \d+ to be of wire type 2/,
    );
    assertModelRefused(
      [...leading, ...field(1, [...field(1, ascii("a")), ...field(2, [0])])],
      /pieces\[3\]\.score/,
    );
    assertModelRefused(
      [...leading, ...field(1, [...field(1, ascii("a")), ...field(3, [0])])],
      /pieces\[3\]\.type/,
    );
    assertModelRefused([0x0b], /wire type 0, 1, 2 or 5/);
    assertModelRefused([0x02, 0], /field number/);
    assertModelRefused([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f, 0], /field 1 to end by byte 7/);
    assertModelRefused([0x0a, ...new Array<number>(9).fill(0xff), 0x7f], /field 1 to end by byte/);
    assertModelRefused(new Array<number>(20).fill(0xff), /at most 10 bytes/);
  });

  it("is refused with pieces that XLM-R's cannot have", () => {
    const end = [...piece(ascii("a"), -1, 1), ...trainerSpec, ...normalizerSpec];
    assertModelRefused(
      [...piece(ascii("<pad>"), 0, 3), ...end],
      /XLM-R's <unk>, <s>, <\/s> as the first pieces/,
    );
    assertModelRefused([...leading, ...piece([0xff], -1, 1), ...end], /UTF-8/);
    assertModelRefused([...leading, ...piece([0xed, 0xa0, 0x80], -1, 1), ...end], /UTF-8/);
    assertModelRefused([...leading, ...piece([0xe3, 0x81], -1, 1), ...end], /UTF-8/);
    assertModelRefused([...leading, ...piece([], -1, 1), ...end], /found nothing/);
    assertModelRefused([...leading, ...piece(ascii("b"), NaN, 1), ...end], /score to be a number, found NaN/);
    assertModelRefused([...leading, ...piece(ascii("b"), -Infinity, 1), ...end], /found -Infinity/);
    assertModelRefused([...leading, ...piece(ascii("<0x00>"), -1, 6), ...end], /found type 6/);
    assertModelRefused([...leading, ...end, ...field(2, [0x18, 2])], /unigram model .* found type 2/);
    assertModelRefused([...leading, ...end, ...field(2, [0x98, 2, 1])], /byte_fallback is not supported/);
  });

  it("is refused with a character map that lies", () => {
    const start = [...leading, ...piece(ascii("a"), -1, 1), ...trainerSpec];
    const withMap = (...words: (number | readonly number[])[]): number[] => {
      const map = words.flatMap((word) =>
        typeof word === "number" ? [...new Uint8Array(Uint32Array.of(word).buffer)] : word,
      );
      return [...start, ...field(3, field(2, map))];
    };
    assertModelRefused([...start, ...field(3, field(2, [1, 2]))], /a trie of whole units/);
    assertModelRefused(withMap(0xffffffff), /a trie of whole units/);
    assertModelRefused(withMap(0), /a trie of whole units/);
    assertModelRefused(withMap(6, 0, 0), /a trie of whole units/);
    assertModelRefused(withMap(4, 0x7ffffe00), /a way to unit/);
    // Unit 0 has a value below it, in unit 1: an offset far behind the replacements.
    assertModelRefused(
      withMap(8, (1 << 10) | 0x100, 0x80ffffff, ascii("x\0")),
      /whole replacements in 2 bytes/,
    );
    assertModelRefused(withMap(4, 0, [0xff, 0]), /replacements in UTF-8/);
    assertModelRefused(withMap(8, (1 << 10) | 0x100, 0x80000001, [0xc3, 0xa9, 0]), /whole replacements/);
  });
});

/** The fixture's JSON with one place changed. */
function changed(path: string, value: unknown): Uint8Array {
  const root = JSON.parse(json) as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let target = root;
  for (const key of keys) target = target[key] as Record<string, unknown>;
  target[last] = value;
  return new TextEncoder().encode(JSON.stringify(root));
}

describe("tokenizer.json that is not XLM-R's", () => {
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
    it(`is refused with ${path} = ${JSON.stringify(value)}`, () => {
      assertRefused(name, changed(path, value), pattern);
    });
  }

  it("may bring tokens behind the vocabulary", () => {
    const { model } = JSON.parse(json) as { model: { vocab: unknown[] } };
    const tokenizer = create(name, changed("added_tokens.5", { ...mask, id: model.vocab.length }));
    const { pieces, ids } = tokenizer.tokenize("a<x>");
    assert.equal(pieces.at(-2), "<x>");
    assert.equal(ids.at(-2), model.vocab.length);
    assert.equal(tokenizer.vocabSize, model.vocab.length + 1);
  });

  it("is refused wherever it is cut off", () => {
    const bytes = new TextEncoder().encode(json.trimEnd());
    for (let length = 0; length < bytes.length; length += 997)
      assertRefused(name, bytes.subarray(0, length), /JSON/);
  });

  it("is refused or harmless with single bytes changed", () => {
    const bytes = new TextEncoder().encode(json);
    const property = fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const damaged = bytes.slice();
      damaged[at] = value;
      assertHarmless(name, damaged);
    });
    fc.assert(property, { numRuns: 200 });
  });

  it("is refused when it is another kind of document", () => {
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
      assertRefused(name, new TextEncoder().encode(text));
    }
  });
});

describe("createXlmRobertaTokenizer, context length", () => {
  it("must leave room for <s> and </s>", () => {
    for (const contextLength of [1, 0, -5, 2.5, NaN]) {
      assert.throws(
        () => createXlmRobertaTokenizer({ name: modelName, bytes: model }, { contextLength }),
        InputError,
      );
    }
  });
});
