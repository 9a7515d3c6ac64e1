/**
 * SentencePiece's unigram language model: splits a word into the pieces whose scores have the highest sum.
 *
 * Ties and unknown characters are handled as in Hugging Face tokenizers: sums are float64 and accumulate from the left,
 * only a strictly higher sum replaces an earlier one, and adjacent unknown characters become one unknown piece.
 *
 * Paper: Kudo, Subword Regularization, 2018, https://arxiv.org/abs/1804.10959
 *
 * Source: huggingface/tokenizers 0.23.2, models/unigram/model.rs, encode_optimized
 */
import { Trie } from "./trie.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** How an implementation differs from Hugging Face's. */
export interface UnigramOptions {
  /** Pieces below this id are special and never match text. Default: 0. */
  readonly firstPiece?: number;
  /** Sums are rounded to float32, as in SentencePiece. Default: float64. */
  readonly isFloat32?: boolean;
}

/** An unknown character scores this much less than the lowest piece. */
const unknownPenalty = 10;

export class Unigram {
  readonly #vocabulary: Vocabulary;
  readonly #unknownId: number;
  readonly #unknownScore: number;
  readonly #trie: Trie;
  readonly #round: (sum: number) => number;
  // For each position of the word, the best split up to it: its score, its last piece, and the start of that piece.
  // Reused for all words.
  #best = new Float64Array(256);
  #bestId = new Int32Array(256);
  #bestStart = new Int32Array(256);

  constructor(
    vocabulary: Vocabulary,
    unknownId: number,
    { firstPiece = 0, isFloat32 = false }: UnigramOptions = {},
  ) {
    this.#vocabulary = vocabulary;
    this.#unknownId = unknownId;
    this.#trie = new Trie(vocabulary, firstPiece);
    this.#round = isFloat32 ? Math.fround : (sum) => sum;
    let lowest = Infinity;
    for (let id = firstPiece; id < vocabulary.size; id++) lowest = Math.min(lowest, vocabulary.score(id));
    this.#unknownScore = this.#round(lowest - unknownPenalty);
  }

  /** The id of a piece, or -1. */
  find(piece: string): number {
    return this.#trie.find(piece);
  }

  /** Appends the ids of a word's pieces to `ids`. */
  encode(word: string, ids: number[]): void {
    this.#findBestPaths(word);
    const first = ids.length;
    for (let end = word.length; end > 0; end = this.#bestStart[end] ?? 0) {
      const id = this.#bestId[end] ?? 0;
      if (id === this.#unknownId && ids.length > first && ids[ids.length - 1] === id) continue;
      ids.push(id);
    }
    reverse(ids, first);
  }

  #findBestPaths(word: string): void {
    const length = word.length;
    if (this.#best.length <= length) {
      this.#best = new Float64Array(2 * length);
      this.#bestId = new Int32Array(2 * length);
      this.#bestStart = new Int32Array(2 * length);
    }
    const best = this.#best.fill(-Infinity, 0, length + 1);
    const bestId = this.#bestId;
    const bestStart = this.#bestStart;
    const trie = this.#trie;
    best[0] = 0;
    for (let start = 0; start < length;) {
      const next = start + (isHighSurrogate(word.charCodeAt(start)) && start + 1 < length ? 2 : 1);
      const scoreHere = best[start] ?? 0;
      let isKnown = false;
      let node = 0;
      for (let end = start; end < length;) {
        node = trie.child(node, word.charCodeAt(end++));
        if (node === 0) break;
        const id = trie.id(node);
        if (id === -1) continue;
        const score = this.#round(this.#vocabulary.score(id) + scoreHere);
        if (score > (best[end] ?? 0)) {
          best[end] = score;
          bestId[end] = id;
          bestStart[end] = start;
        }
        if (end === next) isKnown = true;
      }
      if (!isKnown) {
        const score = this.#round(this.#unknownScore + scoreHere);
        if (score > (best[next] ?? 0)) {
          best[next] = score;
          bestId[next] = this.#unknownId;
          bestStart[next] = start;
        }
      }
      start = next;
    }
  }
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

/** Reverses the array from `first` on. */
function reverse(values: number[], first: number): void {
  for (let low = first, high = values.length - 1; low < high; low++, high--) {
    const value = values[low] ?? 0;
    values[low] = values[high] ?? 0;
    values[high] = value;
  }
}
