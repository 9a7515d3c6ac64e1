/** Retrieval: images in the order of their cosine similarity to a text or an image. */
import { matMul, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { disposing } from "../tensor/disposing.ts";
import { assertFinite } from "./finite.ts";
import { embedImages, type EmbedImagesOptions } from "./embed.ts";

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
 * Orders features by their similarity to a query, best first; of equals the earlier row comes first.
 *
 * @param query [1, D], normalised
 * @param features [N, D], normalised
 * @throws InputError for similarities that are no numbers: they have no order
 */
export function rank(query: Tensor2D, features: Tensor2D): Promise<Ranked[]> {
  return disposing(matMul(features, query, false, true), async (product) => {
    const similarities = await product.data();
    assertFinite(similarities);
    return Array.from(similarities, (similarity, index) => ({ index, similarity })).sort(bestFirst);
  });
}

/**
 * Orders image files by their similarity to a query, best first.
 *
 * @param query [1, embedDim], normalised: of `encodeText` or `encodeImage`
 * @throws InputError as `embedImages`
 */
export async function rankImages(
  model: Clip,
  query: Tensor2D,
  paths: readonly string[],
  options: Omit<EmbedImagesOptions, "normalize"> = {},
): Promise<Match[]> {
  const matches: Match[] = [];
  for await (const batch of embedImages(model, paths, { ...options, normalize: true })) {
    const ranked = await disposing(batch.features, (features) => rank(query, features));
    for (const { index, similarity } of ranked) matches.push({ path: batch.paths[index]!, similarity });
  }
  return matches.sort(bestFirst);
}

function bestFirst(a: { readonly similarity: number }, b: { readonly similarity: number }): number {
  return b.similarity - a.similarity;
}
