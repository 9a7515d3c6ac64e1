/**
 * SentencePiece's precompiled character map (for XLM-R: `nmt_nfkc`), applied the way Hugging Face applies it.
 *
 * The blob is a length, a double-array trie over UTF-8 bytes (Darts-clone), and the replacements, each ended by a NUL;
 * the trie's values point into them. Format: google/sentencepiece, src/normalizer.cc; huggingface/spm_precompiled.
 * Application: huggingface/tokenizers 0.23.2, normalizers/precompiled.rs. The trie is unrolled when the file is read.
 */
import { InputError } from "../../tensor/errors.ts";

/** Honest maps have some ten thousand entries; a damaged trie may have any number. */
const MAX_STEPS = 4_000_000;

/** Graphemes of this many UTF-8 bytes and more are never replaced as a whole. */
const LONG_GRAPHEME = 6;

/**
 * What may join the character before it to one grapheme: marks, the joiners, and what else Unicode's
 * Grapheme_Cluster_Break calls Extend or SpacingMark. More of them do no harm, the segmenter decides.
 */
const JOINING = /\p{M}|\p{Emoji_Modifier}|[\u0e33\u0eb3\uff9e\uff9f]|[\u200c-\u200d]|[\u{e0020}-\u{e007f}]/u;

export class Charsmap {
  /** replacements of single code points */
  readonly #single = new Map<number, string>();
  /** replacements of longer sequences */
  readonly #sequences = new Map<string, string>();
  /** one bit a code point: is it replaced, or does a sequence begin with it? */
  readonly #touched = new Uint8Array(0x110000 / 8);
  readonly #segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

  /**
   * @param file name for errors
   * @throws InputError where the map is damaged
   */
  constructor(file: string, blob: Uint8Array) {
    for (const [key, replacement] of readEntries(file, blob)) {
      const codePoint = key.codePointAt(0) ?? 0;
      if (key.length === (codePoint > 0xffff ? 2 : 1)) this.#single.set(codePoint, replacement);
      else this.#sequences.set(key, replacement);
      this.#touched[codePoint >> 3] = (this.#touched[codePoint >> 3] ?? 0) | (1 << (codePoint & 7));
    }
  }

  normalize(text: string): string {
    return JOINING.test(text) && this.#needsGraphemes(text)
      ? this.#normalizeGraphemes(text)
      : this.#normalizeCharacters(text);
  }

  #isTouched(codePoint: number): boolean {
    return (((this.#touched[codePoint >> 3] ?? 0) >> (codePoint & 7)) & 1) === 1;
  }

  /** Whether some short grapheme of several characters may be replaced as a whole. */
  #needsGraphemes(text: string): boolean {
    for (let index = 0; index < text.length;) {
      const codePoint = text.codePointAt(index) ?? 0;
      index += codePoint > 0xffff ? 2 : 1;
      if (!this.#isTouched(codePoint)) continue;
      const next = text.codePointAt(index);
      if (next === undefined || utf8Length(codePoint) + utf8Length(next) >= LONG_GRAPHEME) continue;
      if (JOINING.test(String.fromCodePoint(next))) return true;
    }
    return false;
  }

  #normalizeCharacters(text: string): string {
    let normalized = "";
    let copied = 0;
    for (let index = 0; index < text.length;) {
      const codePoint = text.codePointAt(index) ?? 0;
      const next = index + (codePoint > 0xffff ? 2 : 1);
      if (this.#isTouched(codePoint)) {
        const replacement = this.#single.get(codePoint);
        if (replacement !== undefined) {
          normalized += text.slice(copied, index) + replacement;
          copied = next;
        }
      }
      index = next;
    }
    return normalized + text.slice(copied);
  }

  /** A short grapheme becomes the replacement of its *shortest* mapped prefix: what follows in it is lost. */
  #normalizeGraphemes(text: string): string {
    let normalized = "";
    for (const { segment } of this.#segmenter.segment(text)) {
      normalized += this.#replaceWhole(segment) ?? this.#normalizeCharacters(segment);
    }
    return normalized;
  }

  #replaceWhole(grapheme: string): string | undefined {
    const characters = Array.from(grapheme, (character) => character.codePointAt(0) ?? 0);
    const bytes = characters.reduce((sum, character) => sum + utf8Length(character), 0);
    if (bytes >= LONG_GRAPHEME) return undefined;
    const single = this.#single.get(characters[0] ?? 0);
    if (single !== undefined) return single;
    for (let length = 2; length <= characters.length; length++) {
      const sequence = this.#sequences.get(String.fromCodePoint(...characters.slice(0, length)));
      if (sequence !== undefined) return sequence;
    }
    return undefined;
  }
}

function utf8Length(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

// A unit of the double array: bit 31 marks a value, bit 8 that a value hangs below, the lowest byte is the label,
// the rest the distance to the children.
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
const hasValue = (unit: number): boolean => (unit & 0x100) !== 0;
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0;

/** All keys of the map with their replacements. */
function* readEntries(file: string, blob: Uint8Array): Generator<readonly [string, string]> {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const trieBytes = blob.byteLength < 4 ? -1 : view.getUint32(0, true);
  if (trieBytes < 4 || trieBytes % 4 !== 0 || trieBytes > blob.byteLength - 4) {
    throw damaged(
      file,
      "a trie of whole units that fits into it",
      `${trieBytes} of ${blob.byteLength} bytes`,
    );
  }
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, index) =>
    view.getUint32(4 + 4 * index, true),
  );
  const replacements = blob.subarray(4 + trieBytes);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const decode = (bytes: Uint8Array): string => {
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw damaged(file, "UTF-8 in its keys and replacements", "other bytes", cause);
    }
  };
  const replacementAt = (offset: number): string => {
    const end = replacements.indexOf(0, offset);
    if (offset >= replacements.length || end === -1) {
      throw damaged(file, `replacements up to byte ${offset}`, `${replacements.length} bytes of them`);
    }
    return decode(replacements.subarray(offset, end));
  };

  // Depth first over the nodes; shared endings are walked once for each key, as a key is what we are after.
  const root = units[0] ?? 0;
  const stack = [{ base: offsetOf(root), key: [] as readonly number[] }];
  for (let steps = 0; ; steps++) {
    const node = stack.pop();
    if (node === undefined) return;
    if (steps > MAX_STEPS || node.key.length > 64)
      throw damaged(file, "a trie with an end", "one that goes round");
    for (let label = 1; label < 256; label++) {
      const index = node.base ^ label;
      const unit = units[index];
      if (unit === undefined)
        throw damaged(file, `a trie of ${units.length} units`, `a way to unit ${index}`);
      if (labelOf(unit) !== label) continue;
      const base = index ^ offsetOf(unit);
      const key = [...node.key, label];
      if (hasValue(unit)) {
        const value = units[base];
        if (value === undefined)
          throw damaged(file, `a trie of ${units.length} units`, `a way to unit ${base}`);
        yield [decode(Uint8Array.from(key)), replacementAt(value & 0x7fffffff)];
      }
      stack.push({ base, key });
    }
  }
}

function damaged(file: string, expected: string, found: string, cause?: unknown): InputError {
  return new InputError(
    `${file}: expected the precompiled character map to have ${expected}, found ${found}; ` +
      `the file is damaged, download it again`,
    [],
    { cause },
  );
}
