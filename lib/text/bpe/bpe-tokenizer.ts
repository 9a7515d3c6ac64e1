/**
 * The English CLIP models' tokenizer: byte pair encoding over the bytes of lower-cased words.
 *
 * Sennrich et al. 2016, https://arxiv.org/abs/1508.07909. Mirrors open_clip 3.3.0's `SimpleTokenizer` (tokenizer.py,
 * first in openai/CLIP's simple_tokenizer.py) with its default cleaning, `lower`.
 */
import { InputError } from "../../errors/input-error.ts";
import { cleanLower } from "../clean/clean.ts";
import { checkContextLength } from "../context-length.ts";
import type { TokenizedText, Tokenizer, TokenizerFile } from "../tokenizer.ts";

/** 49,408 ids, of which 256 are bytes, 256 bytes at the end of a word, and two mark start and end of a text. */
const MERGE_COUNT = 49_152 - 256 - 2;

const START = "<start_of_text>";
const END = "<end_of_text>";
const END_OF_WORD = "</w>";

/**
 * Words of a lower-cased text. The original ignores case besides: what that leaves is the long s, a case of s, and that
 * U+0345, a mark with a letter for a capital, belongs to no class and is passed over.
 */
const WORDS =
  /<[sſ]tart_of_text>|<end_of_text>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}\u0345]+/gu;

/** Words whose pieces are remembered; beyond that, memory begins anew. */
const CACHE_SIZE = 20_000;

/**
 * Reads the merges: the file as OpenAI published it or cut to what is used, gzipped or not.
 *
 * @throws InputError where the file is damaged or holds something else, or the context is too short for two ids
 */
export async function createBpeTokenizer(
  file: TokenizerFile,
  options: { contextLength: number },
): Promise<Tokenizer> {
  const { contextLength } = options;
  checkContextLength(contextLength);
  return new BpeTokenizer(file.name, await readText(file), contextLength);
}

async function readText({ name, bytes }: TokenizerFile): Promise<string> {
  const isGzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    const plain = isGzipped ? await gunzip(bytes) : bytes;
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (cause) {
    throw new InputError(
      `${name}: expected UTF-8 text, gzipped or not, found other bytes; download it again`,
      [],
      {
        cause,
      },
    );
  }
}

/** Published, the file unpacks to 3.2 MB; what swells far beyond that is no file of merges. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream("gzip"));
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > MAX_TEXT_BYTES) {
      await reader.cancel();
      throw new RangeError(`more than ${MAX_TEXT_BYTES} bytes`);
    }
    parts.push(part.value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/**
 * The characters that stand for bytes: printable Latin-1 for itself, the other bytes, in order, for U+0100 and after.
 * In the order of their ids.
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

/** What two neighbouring pieces become, and how early. */
interface Merge {
  readonly rank: number;
  readonly id: number;
}

class BpeTokenizer implements Tokenizer {
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly padId = 0;
  readonly #pieces: readonly string[];
  readonly #startId: number;
  readonly #endId: number;
  /** ids by byte */
  readonly #bytes = new Int32Array(256);
  /** ids by byte, at the end of a word */
  readonly #lastBytes = new Int32Array(256);
  readonly #merges: ReadonlyMap<number, Merge>;
  readonly #utf8 = new TextEncoder();
  readonly #cache = new Map<string, readonly number[]>();

  constructor(file: string, text: string, contextLength: number) {
    this.contextLength = contextLength;
    // The first line names the format's version.
    const lines = text.split("\n").slice(1, MERGE_COUNT + 1);
    const characters = byteCharacters();
    const pieces = [...characters.values()];
    pieces.push(...pieces.map((piece) => piece + END_OF_WORD));
    const pairs = lines.map((line) => line.split(" "));
    pieces.push(...pairs.map((pair) => pair.join("")), START, END);
    const ids = new Map(pieces.map((piece, id) => [piece, id]));
    this.#pieces = pieces;
    this.vocabSize = pieces.length;
    this.#startId = pieces.length - 2;
    this.#endId = pieces.length - 1;
    for (const [byte, character] of characters) {
      this.#bytes[byte] = ids.get(character) ?? 0;
      this.#lastBytes[byte] = ids.get(character + END_OF_WORD) ?? 0;
    }
    const merges = new Map<number, Merge>();
    for (const [rank, [left = "", right = "", ...rest]] of pairs.entries()) {
      const [leftId, rightId, id] = [ids.get(left), ids.get(right), ids.get(left + right)];
      if (leftId === undefined || rightId === undefined || id === undefined || rest.length > 0) {
        throw new InputError(
          `${file}: expected two known pieces in line ${rank + 2}, found ${JSON.stringify(lines[rank]?.slice(0, 60))}; ` +
            `take bpe_simple_vocab_16e6.txt.gz of openai/CLIP`,
        );
      }
      merges.set(pairKey(leftId, rightId), { rank, id });
    }
    if (lines.length < MERGE_COUNT) {
      throw new InputError(
        `${file}: expected ${MERGE_COUNT} merges behind the first line, found ${lines.length}; ` +
          `take bpe_simple_vocab_16e6.txt.gz of openai/CLIP`,
      );
    }
    this.#merges = merges;
  }

  /** The pieces are as in the vocabulary: bytes stand as characters (é as Ã©), a word's last piece ends in `</w>`. */
  tokenize(text: string): TokenizedText {
    const cleaned = cleanLower(text);
    const ids = this.#encodeCleaned(cleaned);
    return { cleaned, pieces: ids.map((id) => this.#pieces[id] ?? ""), ids };
  }

  encode(text: string): number[] {
    return this.#encodeCleaned(cleanLower(text));
  }

  #encodeCleaned(text: string): number[] {
    const ids = [this.#startId];
    const room = this.contextLength - 1;
    for (const [word] of text.matchAll(WORDS)) {
      // What comes after the context's end changes nothing before it.
      if (ids.length >= room) break;
      for (const id of this.#encodeWord(word)) ids.push(id);
    }
    ids.length = Math.min(ids.length, room);
    ids.push(this.#endId);
    return ids;
  }

  #encodeWord(word: string): readonly number[] {
    if (word === START) return [this.#startId];
    if (word === END) return [this.#endId];
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const ids = this.#merge(word);
    if (this.#cache.size >= CACHE_SIZE) this.#cache.clear();
    this.#cache.set(word, ids);
    return ids;
  }

  /** Joins the pair that was learned first, wherever it stands, until there is none to join. */
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
