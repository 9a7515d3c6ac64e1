import { assertWhole } from "../errors/arguments.ts";

/** Collects the items of the highest similarity. Of equal ones the first stay. Holds at most twice `top` items. */
export class Best<Item> {
  readonly #top: number;
  #kept: { readonly item: Item; readonly similarity: number }[] = [];
  /** What an item must exceed to be among the best. */
  #least = -Infinity;

  /** @throws InputError unless `top` is a whole number above 0, or Infinity */
  constructor(top: number) {
    if (top !== Infinity) assertWhole(top, 1, "top");
    this.#top = top;
  }

  add(item: Item, similarity: number): void {
    if (similarity <= this.#least) return;
    this.#kept.push({ item, similarity });
    if (this.#kept.length < 2 * this.#top) return;
    this.#kept = this.items();
    this.#least = this.#kept.at(-1)!.similarity;
  }

  /** Best first. */
  items(): { readonly item: Item; readonly similarity: number }[] {
    return this.#kept.toSorted(bestFirst).slice(0, this.#top);
  }
}

export function bestFirst(a: { readonly similarity: number }, b: { readonly similarity: number }): number {
  return b.similarity - a.similarity;
}
