/** Rows and their scores: the best k, or all from a least score on. */

/** A row and its score. */
export interface ScoredRow {
  readonly id: number;
  readonly score: number;
}

/** Best first; of equal scores the lower id first. */
export function inOrder(a: ScoredRow, b: ScoredRow): number {
  return b.score - a.score || a.id - b.id;
}

/** Keeps the best k rows in a heap, whose root is the worst of them. The result does not depend on the order of adding. */
export class TopRows {
  readonly #scores: Float64Array;
  readonly #ids: Float64Array;
  #size = 0;

  constructor(k: number) {
    this.#scores = new Float64Array(k);
    this.#ids = new Float64Array(k);
  }

  /** Lower scores are not among the best any more. */
  get floor(): number {
    return this.#size < this.#scores.length ? -Infinity : this.#scores[0]!;
  }

  add(id: number, score: number): void {
    if (this.#size < this.#scores.length) this.#rise(this.#size++, id, score);
    else if (isWorse(this.#scores[0]!, this.#ids[0]!, score, id)) this.#sink(id, score);
  }

  /** Best first. */
  rows(): ScoredRow[] {
    const rows = Array.from({ length: this.#size }, (_, i) => ({
      id: this.#ids[i]!,
      score: this.#scores[i]!,
    }));
    return rows.sort(inOrder);
  }

  #put(at: number, id: number, score: number): void {
    this.#ids[at] = id;
    this.#scores[at] = score;
  }

  #rise(from: number, id: number, score: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isWorse(score, id, this.#scores[parent]!, this.#ids[parent]!)) break;
      this.#put(at, this.#ids[parent]!, this.#scores[parent]!);
      at = parent;
    }
    this.#put(at, id, score);
  }

  #sink(id: number, score: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const [scores, ids] = [this.#scores, this.#ids];
      if (child + 1 < this.#size && isWorse(scores[child + 1]!, ids[child + 1]!, scores[child]!, ids[child]!))
        child += 1;
      if (!isWorse(scores[child]!, ids[child]!, score, id)) break;
      this.#put(at, ids[child]!, scores[child]!);
      at = child;
    }
    this.#put(at, id, score);
  }
}

function isWorse(score: number, id: number, thanScore: number, thanId: number): boolean {
  return score < thanScore || (score === thanScore && id > thanId);
}
