/**
 * SentencePiece's precompiled character map (XLM-R's is `nmt_nfkc`), applied as Hugging Face applies it.
 *
 * The blob consists of a length, a double-array trie over UTF-8 bytes (Darts-clone) and NUL-terminated replacements. The
 * trie's values are offsets into the replacements.
 *
 * Source: google/sentencepiece, src/normalizer.cc, and huggingface/spm_precompiled (format); huggingface/tokenizers
 * 0.23.2, normalizers/precompiled.rs (application)
 */
import { InputError } from "../../errors/input-error.ts";

/** Graphemes of at least this many UTF-8 bytes are not replaced as a whole. */
const longGrapheme = 6;

/**
 * Characters that may form a grapheme with the one before: marks, joiners, and others whose Grapheme_Cluster_Break is
 * Extend or SpacingMark. The pattern may match too much, because the segmenter decides.
 */
const joining = /\p{M}|\p{Emoji_Modifier}|[\u0e33\u0eb3\uff9e\uff9f]|[\u200c-\u200d]|[\u{e0020}-\u{e007f}]/u;

// A unit of the double array. Bit 31: the unit is a value. Bit 8: one of its children is a value. Lowest byte: the label.
// The other bits: the distance to the children.
const isValue = (unit: number): boolean => unit >>> 31 === 1;
const hasValue = (unit: number): boolean => (unit & 0x100) !== 0;
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
const valueOf = (unit: number): number => unit & 0x7fffffff;

export class Charsmap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  /** Decoded replacements by their offset. */
  readonly #read = new Map<number, string>();
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

  /**
   * @param file the file's name, for error messages
   * @throws InputError if the map is damaged
   */
  constructor(file: string, blob: Uint8Array) {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    const trieBytes = blob.byteLength < 4 ? 0 : view.getUint32(0, true);
    if (trieBytes === 0 || trieBytes % 4 !== 0 || trieBytes > blob.byteLength - 4) {
      throw damaged(
        file,
        "a trie of whole units that fits into it",
        `${trieBytes} of ${blob.byteLength} bytes`,
      );
    }
    this.#units = new Uint32Array(trieBytes / 4);
    for (let index = 0; index < this.#units.length; index++) {
      this.#units[index] = view.getUint32(4 + 4 * index, true);
    }
    // A copy, which does not keep the whole file in memory.
    this.#replacements = new Uint8Array(blob.subarray(4 + trieBytes));
    this.#validate(file);
  }

  /** Checks that no step in the trie leaves it, and that every value is the offset of a replacement. */
  #validate(file: string): void {
    const units = this.#units;
    const replacements = this.#replacements;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(replacements);
    } catch (cause) {
      throw damaged(file, "replacements in UTF-8", "other bytes", cause);
    }
    for (const [index, unit] of units.entries()) {
      if (isValue(unit)) continue;
      const base = index ^ offsetOf(unit);
      const child = units[base];
      if (child === undefined)
        throw damaged(file, `a trie of ${units.length} units`, `a step to unit ${base}`);
      if (!hasValue(unit)) continue;
      const start = replacements[valueOf(child)];
      if (start === undefined || (start & 0xc0) === 0x80) {
        const found = `one that would begin at byte ${valueOf(child)}`;
        throw damaged(file, `whole replacements in ${replacements.length} bytes`, found);
      }
    }
  }

  /** As Hugging Face: the shortest mapped prefix of each grapheme or character. */
  normalize(text: string): string {
    return joining.test(text) && this.#needsGraphemes(text)
      ? this.#normalizeGraphemes(text)
      : this.#normalizeCharacters(text);
  }

  /** Whether the map replaces some short grapheme of several characters as a whole. */
  #needsGraphemes(text: string): boolean {
    for (let start = 0; start < text.length;) {
      const codePoint = text.codePointAt(start) ?? 0;
      const next = start + (codePoint > 0xffff ? 2 : 1);
      let end = next;
      let bytes = utf8Length(codePoint);
      while (end < text.length) {
        const joined = text.codePointAt(end) ?? 0;
        bytes += utf8Length(joined);
        if (bytes >= longGrapheme || !joining.test(String.fromCodePoint(joined))) break;
        end += joined > 0xffff ? 2 : 1;
      }
      if (end > next && this.#replacement(text, start, end) !== undefined) return true;
      start = next;
    }
    return false;
  }

  #normalizeCharacters(text: string): string {
    let normalized = "";
    let copied = 0;
    for (let index = 0; index < text.length;) {
      const next = index + ((text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1);
      const replacement = this.#replacement(text, index, next);
      if (replacement !== undefined) {
        normalized += text.slice(copied, index) + replacement;
        copied = next;
      }
      index = next;
    }
    return normalized + text.slice(copied);
  }

  /** Replaces a short grapheme with the replacement of its *shortest* mapped prefix; the rest of the grapheme is lost. */
  #normalizeGraphemes(text: string): string {
    let normalized = "";
    for (const { segment } of this.#segmenter.segment(text)) {
      let bytes = 0;
      for (const character of segment) bytes += utf8Length(character.codePointAt(0) ?? 0);
      const whole = bytes < longGrapheme ? this.#replacement(segment, 0, segment.length) : undefined;
      normalized += whole ?? this.#normalizeCharacters(segment);
    }
    return normalized;
  }

  /** The replacement of the shortest mapped prefix of `text[start, end)`, or undefined. */
  #replacement(text: string, start: number, end: number): string | undefined {
    const units = this.#units;
    let index = offsetOf(units[0] ?? 0);
    for (let at = start; at < end;) {
      const codePoint = text.codePointAt(at) ?? 0;
      // A NUL ends a key, like a string in C.
      if (codePoint === 0) return undefined;
      at += codePoint > 0xffff ? 2 : 1;
      const length = utf8Length(codePoint);
      for (let rest = length - 1; rest >= 0; rest--) {
        const byte =
          rest === length - 1 ? leadByte(codePoint, length) : 0x80 | ((codePoint >> (6 * rest)) & 0x3f);
        index ^= byte;
        const unit = units[index];
        if (unit === undefined || labelOf(unit) !== byte) return undefined;
        index ^= offsetOf(unit);
        if (hasValue(unit)) return this.#replacementAt(valueOf(units[index] ?? 0));
      }
    }
    return undefined;
  }

  /** As SentencePiece: the longest mapped text that begins at `start`, and its replacement; undefined if there is none. */
  longestMatch(
    text: string,
    start: number,
  ): { readonly end: number; readonly replacement: string } | undefined {
    let found: { end: number; value: number } | undefined;
    const units = this.#units;
    let index = offsetOf(units[0] ?? 0);
    for (let at = start; at < text.length;) {
      const codePoint = text.codePointAt(at) ?? 0;
      const next = codePoint === 0 ? undefined : this.#step(index, codePoint);
      if (next === undefined) break;
      at += codePoint > 0xffff ? 2 : 1;
      index = next.index;
      if (next.hasValue) found = { end: at, value: valueOf(units[index] ?? 0) };
    }
    return found && { end: found.end, replacement: this.#replacementAt(found.value) };
  }

  /** Follows the bytes of a character in the trie. `hasValue`: a key ends after it. */
  #step(index: number, codePoint: number): { index: number; hasValue: boolean } | undefined {
    const length = utf8Length(codePoint);
    let unit = 0;
    for (let rest = length - 1; rest >= 0; rest--) {
      const byte =
        rest === length - 1 ? leadByte(codePoint, length) : 0x80 | ((codePoint >> (6 * rest)) & 0x3f);
      index ^= byte;
      unit = this.#units[index] ?? 0;
      if (labelOf(unit) !== byte) return undefined;
      index ^= offsetOf(unit);
    }
    return { index, hasValue: hasValue(unit) };
  }

  #replacementAt(offset: number): string {
    let replacement = this.#read.get(offset);
    if (replacement === undefined) {
      const end = this.#replacements.indexOf(0, offset);
      replacement = this.#utf8.decode(this.#replacements.subarray(offset, end === -1 ? undefined : end));
      this.#read.set(offset, replacement);
    }
    return replacement;
  }
}

function utf8Length(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/** The first of the `length` UTF-8 bytes of a code point. */
function leadByte(codePoint: number, length: number): number {
  return length === 1 ? codePoint : ((0xf00 >> length) & 0xff) | (codePoint >> (6 * (length - 1)));
}

function damaged(file: string, expected: string, found: string, cause?: unknown): InputError {
  return new InputError(
    `${file}: expected the precompiled character map to have ${expected}, found ${found}; ` +
      `download the file again`,
    [],
    { cause },
  );
}
