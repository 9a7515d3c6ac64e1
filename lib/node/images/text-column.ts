/** A column of texts, of which few are distinct or many follow their like, such as the classes of a million images. */

/** Each distinct text is kept once, and equal neighbours are counted. */
export class TextColumn<T extends string | null> implements Iterable<T> {
  readonly #numbers = new Map<T, number>();
  readonly #runs: number[] = [];
  readonly #lengths: number[] = [];

  /** In the order of their first cells. */
  get distinct(): T[] {
    return [...this.#numbers.keys()];
  }

  add(text: T): void {
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    if (this.#runs.at(-1) === number) this.#lengths[this.#lengths.length - 1]! += 1;
    else {
      this.#runs.push(number);
      this.#lengths.push(1);
    }
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    const { distinct } = this;
    for (const [run, number] of this.#runs.entries()) {
      for (let left = this.#lengths[run]!; left > 0; left--) yield distinct[number]!;
    }
  }

  /** Whether no cell is null. */
  isComplete(): this is TextColumn<NonNullable<T>> {
    return !this.#numbers.has(null as T);
  }
}
