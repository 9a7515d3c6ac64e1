/**
 * The English CLIP models' tokenizer: byte pair encoding over the bytes of lower-cased words.
 *
 * Paper: Sennrich et al., Neural Machine Translation of Rare Words with Subword Units, 2016,
 * https://arxiv.org/abs/1508.07909
 *
 * Source: open_clip 3.3.0, tokenizer.py, SimpleTokenizer (first in openai/CLIP, simple_tokenizer.py)
 */
import { InputError } from "../../errors/input-error.ts";
import { cleaners } from "../clean/clean.ts";
import type { Merges } from "../readers/merges.ts";
import type { TokenizedText, Tokenizer, TokenizerOptions } from "../tokenizer.ts";

const startToken = "<start_of_text>";
const endToken = "<end_of_text>";
const endOfWord = "</w>";

/**
 * The words of a lower-cased text. open_clip's pattern ignores case, which still matters in lower case: ſ (long s)
 * matches s, and the combining U+0345, whose capital is a letter, matches no class and is skipped.
 */
const wordPattern =
  /<[sſ]tart_of_text>|<end_of_text>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}\u0345]+/gu;

/** When this many words are cached, the cache is cleared. */
const maximumCachedWords = 20_000;

/**
 * The characters that represent bytes in the vocabulary, in the order of their ids: printable Latin-1 characters
 * represent themselves, and U+0100 onwards represent the other bytes in order.
 */
function byteCharacters(): Map<number, string> {
  const characters = new Map<number, string>();
  const printable = [...range(0x21, 0x7e), ...range(0xa1, 0xac), ...range(0xae, 0xff)];
  for (const byte of printable) characters.set(byte, String.fromCharCode(byte));
  let next = 0x100;
  for (const byte of range(0, 0xff)) {
    if (!characters.has(byte)) characters.set(byte, String.fromCharCode(next++));
  }
  return characters;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The piece that two adjacent pieces merge into. A lower rank merges first. */
interface Merge {
  readonly rank: number;
  readonly id: number;
}

export class BpeTokenizer implements Tokenizer {
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly padId = 0;
  readonly #clean: (text: string) => string;
  readonly #pieces: readonly string[];
  readonly #startId: number;
  readonly #endId: number;
  /** Ids by byte. */
  readonly #bytes = new Int32Array(256);
  /** Ids by byte, at the end of a word. */
  readonly #lastBytes = new Int32Array(256);
  readonly #merges: ReadonlyMap<number, Merge>;
  readonly #utf8 = new TextEncoder();
  readonly #cache = new Map<string, readonly number[]>();

  /** @throws InputError if a merge names a piece that no earlier merge made */
  constructor({ file, pairs }: Merges, { contextLength, clean = "lower" }: TokenizerOptions) {
    this.contextLength = contextLength;
    this.#clean = cleaners[clean];
    const characters = byteCharacters();
    const letters = [...characters.values()];
    const pieces = [
      ...letters,
      ...letters.map((piece) => piece + endOfWord),
      ...pairs.map(([left, right]) => left + right),
      startToken,
      endToken,
    ];
    const ids = new Map(pieces.map((piece, id) => [piece, id]));
    this.#pieces = pieces;
    this.vocabSize = pieces.length;
    this.#startId = pieces.length - 2;
    this.#endId = pieces.length - 1;
    for (const [byte, character] of characters) {
      this.#bytes[byte] = ids.get(character) ?? 0;
      this.#lastBytes[byte] = ids.get(character + endOfWord) ?? 0;
    }
    const merges = new Map<number, Merge>();
    for (const [rank, [left, right]] of pairs.entries()) {
      const [leftId, rightId, id] = [ids.get(left), ids.get(right), ids.get(left + right)];
      if (leftId === undefined || rightId === undefined || id === undefined) {
        throw new InputError(
          `${file}: expected two known pieces in line ${rank + 2}, found ${JSON.stringify(`${left} ${right}`.slice(0, 60))}; ` +
            `use openai/CLIP's bpe_simple_vocab_16e6.txt.gz`,
        );
      }
      merges.set(pairKey(leftId, rightId), { rank, id });
    }
    this.#merges = merges;
  }

  /** Pieces are written as in the vocabulary: one character per byte (é is Ã©), and `</w>` at the end of a word. */
  tokenize(text: string): TokenizedText {
    const cleaned = this.#clean(text);
    const ids = this.#encodeCleaned(cleaned);
    return { cleaned, pieces: ids.map((id) => this.#pieces[id] ?? ""), ids };
  }

  encode(text: string): number[] {
    return this.#encodeCleaned(this.#clean(text));
  }

  #encodeCleaned(text: string): number[] {
    const ids = [this.#startId];
    const room = this.contextLength - 1;
    for (const [word] of text.matchAll(wordPattern)) {
      // Words beyond the context length do not change the ids before them.
      if (ids.length >= room) break;
      for (const id of this.#encodeWord(word)) ids.push(id);
    }
    ids.length = Math.min(ids.length, room);
    ids.push(this.#endId);
    return ids;
  }

  #encodeWord(word: string): readonly number[] {
    if (word === startToken) return [this.#startId];
    if (word === endToken) return [this.#endId];
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const ids = this.#merge(word);
    if (this.#cache.size >= maximumCachedWords) this.#cache.clear();
    this.#cache.set(word, ids);
    return ids;
  }

  /** Merges all occurrences of the pair of lowest rank, until no pair can be merged. */
  #merge(word: string): number[] {
    const bytes = this.#utf8.encode(word);
    const ids = Array.from(
      bytes,
      (byte, index) => (index === bytes.length - 1 ? this.#lastBytes : this.#bytes)[byte] ?? 0,
    );
    for (;;) {
      let first: Merge | undefined;
      let firstKey = 0;
      for (let index = 1; index < ids.length; index++) {
        const key = pairKey(ids[index - 1] ?? 0, ids[index] ?? 0);
        const merge = this.#merges.get(key);
        if (merge !== undefined && (first === undefined || merge.rank < first.rank)) {
          first = merge;
          firstKey = key;
        }
      }
      if (first === undefined) return ids;
      let length = 0;
      for (let index = 0; index < ids.length; index++) {
        const isPair = index + 1 < ids.length && pairKey(ids[index] ?? 0, ids[index + 1] ?? 0) === firstKey;
        ids[length++] = isPair ? first.id : (ids[index] ?? 0);
        if (isPair) index++;
      }
      ids.length = length;
    }
  }
}

function pairKey(left: number, right: number): number {
  return left * 0x10000 + right;
}
