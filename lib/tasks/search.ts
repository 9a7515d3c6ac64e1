/** Retrieval: images ranked by cosine similarity to a text or an image. */
import { matMul, type Tensor2D } from "@tensorflow/tfjs-core";
import { disposing } from "../tensor/disposing.ts";
import { assertFinite } from "./finite.ts";
import type { EmbeddedImages } from "./embed-images.ts";

/** A row and its similarity to the query. */
export interface Ranked {
  /** Row of the features. */
  readonly index: number;
  /** Cosine similarity, −1…1. */
  readonly similarity: number;
}

/** An image and its similarity to the query. */
export interface Match {
  readonly path: string;
  /** Cosine similarity, −1…1. */
  readonly similarity: number;
}

/**
 * Ranks features by their similarity to a query, best first. Ties keep the order of the rows.
 *
 * @param query [1, D], normalised
 * @param features [N, D], normalised
 * @throws InputError for similarities that are not finite, which have no order
 */
export function rank(query: Tensor2D, features: Tensor2D): Promise<Ranked[]> {
  return disposing(matMul(features, query, false, true), async (product) => {
    const similarities = await product.data();
    assertFinite(similarities);
    return Array.from(similarities, (similarity, index) => ({ index, similarity })).sort(bestFirst);
  });
}

/**
 * Ranks embedded images by their similarity to a query, best first. Under Node, `rankImages` takes paths.
 *
 * @param query [1, embedDim], normalised: from `encodeText` or `encodeImage`
 * @param batches normalised; their tensors are disposed here
 * @param top how many of the best to return; default: all
 * @throws InputError as `rank`
 */
export async function rankEmbedded(
  query: Tensor2D,
  batches: AsyncIterable<EmbeddedImages>,
  top = Infinity,
): Promise<Match[]> {
  const best = new Best<string>(top);
  for await (const { paths, features } of batches) {
    const ranked = await disposing(features, () => rank(query, features));
    for (const { index, similarity } of ranked) best.add(paths[index]!, similarity);
  }
  return best.items().map(({ item, similarity }) => ({ path: item, similarity }));
}

/** Collects the items of the highest similarity. Of equal ones the first stay. Holds at most twice `top` items. */
export class Best<Item> {
  readonly #top: number;
  #kept: { readonly item: Item; readonly similarity: number }[] = [];
  /** What an item must exceed to be among the best. */
  #least = -Infinity;

  constructor(top: number) {
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

function bestFirst(a: { readonly similarity: number }, b: { readonly similarity: number }): number {
  return b.similarity - a.similarity;
}
