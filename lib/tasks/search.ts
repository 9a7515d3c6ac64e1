/** Retrieval: images ranked by cosine similarity to a text or an image. */
import { matMul, tidy, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { assertEmbeddings, assertTensor } from "../clip/inputs.ts";
import { unitRows } from "../clip/normalize.ts";
import { InputError } from "../errors/input-error.ts";
import { disposing } from "../tensor/disposing.ts";
import { Best, bestFirst } from "./best.ts";
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
 * Rows of norm 1 are used as they are, and other rows are normalised.
 *
 * @param query [1, D]
 * @param features [N, D]
 * @throws InputError for other shapes, and for similarities that are not finite, which have no order
 */
export async function rank(query: Tensor2D, features: Tensor2D): Promise<Ranked[]> {
  assertQuery(query);
  assertEmbeddings(features, query.shape[1], "features", "rank");
  const cosines = tidy(() => matMul(unitRows(features), unitRows(query), false, true));
  return disposing(cosines, async (product) => {
    const similarities = await product.data();
    assertFinite(similarities);
    return Array.from(similarities, (similarity, index) => ({ index, similarity })).sort(bestFirst);
  });
}

/**
 * Ranks embedded images by their similarity to a query, best first. Under Node, `rankImages` takes paths.
 *
 * @param query [1, embedDim], from `encodeText` or `encodeImage`
 * @param batches their tensors are disposed here
 * @param top how many of the best to return; default: all
 * @throws InputError as `rank`
 */
export async function rankEmbedded(
  query: Tensor2D,
  batches: AsyncIterable<EmbeddedImages>,
  top = Infinity,
): Promise<Match[]> {
  assertQuery(query);
  const best = new Best<string>(top);
  for await (const { paths, features } of batches) {
    const ranked = await disposing(features, () => rank(query, features));
    for (const { index, similarity } of ranked) best.add(paths[index]!, similarity);
  }
  return best.items().map(({ item, similarity }) => ({ path: item, similarity }));
}

/** @throws InputError unless it is one row */
export function assertQuery(query: Tensor2D): void {
  assertTensor(query, "a query [1, embedDim]", "rank");
  const { shape } = query as Tensor;
  if (shape.length === 2 && shape[0] === 1) return;
  throw new InputError(`rank: expected a query of the shape [1, embedDim], found [${shape}]`);
}
