import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import fc from "fast-check";
import { fixture } from "../../support/paths.ts";
import { assertHarmless, assertRefused, tokenizerFrom } from "../../support/tokenizer-files.ts";

const name = "sentencepiece.bpe.model";
const model = new Uint8Array(readFileSync(fixture(`tokenizer/${name}`)));
const json = readFileSync(fixture("tokenizer/tokenizer.json"));

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

function assertModelRefused(bytes: readonly number[], pattern: RegExp): Promise<void> {
  return assertRefused(name, Uint8Array.from(bytes), pattern);
}

describe("readXlmRobertaModel", () => {
  it("numbers the pieces of a small model as fairseq does", async () => {
    const bytes = [...leading, ...piece(ascii("a"), -1, 1), ...trainerSpec, ...normalizerSpec];
    const tokenizer = await tokenizerFrom(name, Uint8Array.from(bytes));
    // The file's pieces are <unk>, <s>, </s>, a. The ids are those of <s>, <pad>, </s>, <unk>, a, <mask>.
    assert.equal(tokenizer.vocabSize, 6);
    assert.deepEqual(tokenizer.tokenize("ab").pieces, ["<s>", "<unk>", "a", "<unk>", "</s>"]);
    assert.deepEqual(tokenizer.encode("ab"), [0, 3, 4, 3, 2]);
  });

  it("refuses a file truncated at any position", async () => {
    for (let length = 0; length < model.length; length += 97)
      await assertRefused(name, model.subarray(0, length));
  });

  it("refuses a file truncated between two fields", async () => {
    const [a, b] = [piece(ascii("a"), -1, 1), piece(ascii("b"), -1, 1)];
    await assertModelRefused([...leading, ...a], /normalizer_spec/);
    await assertModelRefused([...leading, ...a, ...b, ...trainerSpec], /normalizer_spec/);
    await assertModelRefused([...leading, ...trainerSpec, ...normalizerSpec], /found 3 pieces/);
  });

  it("refuses a file with one changed byte, or gives a tokenizer that works", async () => {
    const property = fc.asyncProperty(
      fc.nat(model.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, change) => {
        const bytes = model.slice();
        bytes[at] = (bytes[at] ?? 0) ^ change;
        await assertHarmless(name, bytes);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it("refuses files of other formats", async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
      await assertRefused(name, bytes);
    });
    await fc.assert(property, { numRuns: 1000 });
    await assertRefused(
      name,
      new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    );
    await assertRefused(name, json);
  });

  it("refuses wrong wire types and lengths", async () => {
    const withPiece = (...fields: readonly number[]): number[] => [...leading, ...field(1, fields)];
    const a = field(1, ascii("a"));
    await assertModelRefused([0x08, 1], /byte 1 \(expected pieces to be of wire type 2, found 0\)/);
    await assertModelRefused(withPiece(0x08, 1), /pieces\.piece to be of wire type 2, found 0/);
    await assertModelRefused(
      withPiece(...a, ...field(2, [0])),
      /pieces\.score to be of wire type 5, found 2/,
    );
    await assertModelRefused(withPiece(...a, ...field(3, [0])), /pieces\.type to be of wire type 0, found 2/);
    // Wire type 3 starts a group, which may be nested.
    await assertModelRefused([0x4b], /damaged at byte 1 \(Unimplemented type: 3\)/);
    await assertModelRefused(
      new Array<number>(100_000).fill(0x4b),
      /damaged at byte 1 \(Unimplemented type: 3\)/,
    );
    // A field number 0.
    await assertModelRefused([0x02, 0], /expected a message to end at byte 2/);
    // Lengths of 2^35 - 1 and of 2^64 - 1.
    const end = [...trainerSpec, ...normalizerSpec];
    await assertModelRefused([...leading, 0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, ...end], /damaged/);
    await assertModelRefused([...leading, 0x0a, ...new Array<number>(9).fill(0xff), 1, 0, ...end], /damaged/);
    // The piece is one byte longer than its message.
    await assertModelRefused([...leading, 0x0a, 3, 0x0a, 2, 0x61, 0x61, ...end], /a message to end at byte/);
    await assertModelRefused(new Array<number>(20).fill(0xff), /damaged/);
  });

  it("refuses pieces that XLM-R's model does not have", async () => {
    const end = [...piece(ascii("a"), -1, 1), ...trainerSpec, ...normalizerSpec];
    await assertModelRefused(
      [...piece(ascii("<pad>"), 0, 3), ...end],
      /XLM-R's <unk>, <s>, <\/s> as the first pieces/,
    );
    await assertModelRefused([...leading, ...piece([0xff], -1, 1), ...end], /UTF-8/);
    await assertModelRefused([...leading, ...piece([0xed, 0xa0, 0x80], -1, 1), ...end], /UTF-8/);
    await assertModelRefused([...leading, ...piece([0xe3, 0x81], -1, 1), ...end], /UTF-8/);
    await assertModelRefused([...leading, ...piece([], -1, 1), ...end], /found nothing/);
    await assertModelRefused(
      [...leading, ...piece(ascii("b"), NaN, 1), ...end],
      /score to be a finite number, found NaN/,
    );
    await assertModelRefused([...leading, ...piece(ascii("b"), -Infinity, 1), ...end], /found -Infinity/);
    await assertModelRefused([...leading, ...piece(ascii("<0x00>"), -1, 6), ...end], /found type 6/);
    await assertModelRefused([...leading, ...end, ...field(2, [0x18, 2])], /unigram model .* found type 2/);
    await assertModelRefused(
      [...leading, ...end, ...field(2, [0x98, 2, 1])],
      /byte_fallback is not supported/,
    );
  });

  it("refuses a damaged character map", async () => {
    const start = [...leading, ...piece(ascii("a"), -1, 1), ...trainerSpec];
    const withMap = (...words: (number | readonly number[])[]): number[] => {
      const map = words.flatMap((word) =>
        typeof word === "number" ? [...new Uint8Array(Uint32Array.of(word).buffer)] : word,
      );
      return [...start, ...field(3, field(2, map))];
    };
    await assertModelRefused([...start, ...field(3, field(2, [1, 2]))], /a trie of whole units/);
    await assertModelRefused(withMap(0xffffffff), /a trie of whole units/);
    await assertModelRefused(withMap(0), /a trie of whole units/);
    await assertModelRefused(withMap(6, 0, 0), /a trie of whole units/);
    await assertModelRefused(withMap(4, 0x7ffffe00), /a step to unit/);
    // Unit 0 has a child with a value, unit 1, whose offset is far beyond the replacements.
    await assertModelRefused(
      withMap(8, (1 << 10) | 0x100, 0x80ffffff, ascii("x\0")),
      /whole replacements in 2 bytes/,
    );
    await assertModelRefused(withMap(4, 0, [0xff, 0]), /replacements in UTF-8/);
    await assertModelRefused(
      withMap(8, (1 << 10) | 0x100, 0x80000001, [0xc3, 0xa9, 0]),
      /whole replacements/,
    );
  });
});
