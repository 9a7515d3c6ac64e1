/**
 * Image and text retrieval: recall@k with any number of captions per image.
 *
 * image_retrieval_recall@k is the share of captions whose image is among the k images most similar to them.
 * text_retrieval_recall@k is the share of images that have at least one of their captions among the k captions most
 * similar to them. An image without captions counts as a miss. Equal images or captions are not merged.
 * Source: CLIP_benchmark, metrics/zeroshot_retrieval.py, evaluate and recall_at_k; its topk orders equal scores
 * arbitrarily. Here the first of them ranks highest.
 */
import { InputError } from "../../errors/input-error.ts";
import type { Rows } from "../../features/features.ts";
import { cosineBlocks } from "./cosine-blocks.ts";

/** Ranks of the right candidate, from 0, for each query. */
export interface Ranks {
  /** The number of candidates: the rank of a query without a right candidate. */
  readonly candidates: number;
  /** The rank if the first of equal scores ranks highest. */
  readonly ranks: Int32Array;
  /** The rank before and behind all wrong candidates with the same score. */
  readonly best: Int32Array;
  readonly worst: Int32Array;
  /** The candidate of rank 0. */
  readonly nearest: Int32Array;
}

/** Ranks in both directions. */
export interface RetrievalRanks {
  /** For each caption: the rank of its image. */
  readonly imageOfCaption: Ranks;
  /** For each image: the rank of the best of its captions. */
  readonly captionOfImage: Ranks;
}

/**
 * Ranks all images for each caption, and all captions for each image. The similarities are computed twice, in blocks:
 * the rank of an image's best caption is known only after all of its captions.
 *
 * @param images [images, embedDim]
 * @param captions [captions, embedDim]
 * @param imageOf the image of each caption
 * @param size values in a block of similarities
 * @throws InputError without images or captions, or if captions and `imageOf` do not match
 */
export async function retrievalRanks(
  images: Rows,
  captions: Rows,
  imageOf: ArrayLike<number>,
  size?: number,
): Promise<RetrievalRanks> {
  checkPairs(images, captions, imageOf);
  const own = new Float32Array(captions.rows);
  const imageOfCaption = newRanks(captions.rows, images.rows);
  const nearest = new Float32Array(images.rows).fill(-Infinity);
  const captionOfImage = newRanks(images.rows, captions.rows);
  for await (const { start, end, cosines } of cosineBlocks(captions, images, size)) {
    for (let caption = start; caption < end; caption++) {
      const row = cosines.subarray((caption - start) * images.rows, (caption - start + 1) * images.rows);
      own[caption] = row[imageOf[caption]!]!;
      rankRow(imageOfCaption, caption, row, imageOf[caption]!);
      for (let image = 0; image < row.length; image++) {
        if (row[image]! <= nearest[image]!) continue;
        nearest[image] = row[image]!;
        captionOfImage.nearest[image] = caption;
      }
    }
  }
  const best = bestCaptions(own, imageOf, images.rows);
  const above = new Int32Array(images.rows);
  const before = new Int32Array(images.rows);
  const equal = new Int32Array(images.rows);
  for await (const { start, end, cosines } of cosineBlocks(captions, images, size)) {
    for (let caption = start, at = 0; caption < end; caption++) {
      for (let image = 0; image < images.rows; image++, at++) {
        const similarity = cosines[at]!;
        const ownBest = best.similarity[image]!;
        if (similarity < ownBest) continue;
        if (similarity > ownBest) above[image]! += 1;
        else if (imageOf[caption] !== image) {
          equal[image]! += 1;
          if (caption < best.caption[image]!) before[image]! += 1;
        }
      }
    }
  }
  for (let image = 0; image < images.rows; image++) {
    const hasCaption = best.caption[image]! >= 0;
    const rank = (wrong: number): number => (hasCaption ? above[image]! + wrong : captions.rows);
    captionOfImage.best[image] = rank(0);
    captionOfImage.ranks[image] = rank(before[image]!);
    captionOfImage.worst[image] = rank(equal[image]!);
  }
  return { imageOfCaption, captionOfImage };
}

/** Figures under CLIP_benchmark's names, and how far they depend on equal scores. */
export interface RetrievalMetrics {
  /** For each k: `image_retrieval_recall@k`, then `text_retrieval_recall@k`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Captions and images that are hits at one of the ks, or not, only because of the order of equal scores. */
  readonly ties: number;
}

/** @throws InputError for a k that is not a whole number above 0, or larger than the number of candidates */
export function retrievalMetrics(
  { imageOfCaption, captionOfImage }: RetrievalRanks,
  ks: readonly number[],
): RetrievalMetrics {
  const metrics: Record<string, number> = {};
  for (const k of ks) {
    metrics[`image_retrieval_recall@${k}`] = recallAt(imageOfCaption, k, "images");
    metrics[`text_retrieval_recall@${k}`] = recallAt(captionOfImage, k, "captions");
  }
  return { metrics, ties: tiesAt(imageOfCaption, ks) + tiesAt(captionOfImage, ks) };
}

/** The share of queries whose right candidate is among the first k. A float32 value, as in CLIP_benchmark. */
function recallAt({ ranks, candidates }: Ranks, k: number, what: string): number {
  if (!Number.isInteger(k) || k < 1 || k > candidates) {
    throw new InputError(
      `recall@${k}: expected a whole number from 1 to ${candidates}, the number of ${what} in the dataset`,
    );
  }
  let hits = 0;
  for (const rank of ranks) if (rank < k) hits += 1;
  return Math.fround(hits / ranks.length);
}

function tiesAt({ best, worst }: Ranks, ks: readonly number[]): number {
  let ties = 0;
  for (let query = 0; query < best.length; query++) {
    if (ks.some((k) => best[query]! < k && worst[query]! >= k)) ties += 1;
  }
  return ties;
}

function newRanks(queries: number, candidates: number): Ranks {
  const array = (): Int32Array => new Int32Array(queries);
  return { candidates, ranks: array(), best: array(), worst: array(), nearest: array() };
}

function rankRow(
  { ranks, best, worst, nearest }: Ranks,
  query: number,
  row: Float32Array,
  right: number,
): void {
  const own = row[right]!;
  let [above, before, behind, first] = [0, 0, 0, 0];
  for (let candidate = 0; candidate < row.length; candidate++) {
    const similarity = row[candidate]!;
    if (similarity < own) continue;
    if (similarity > own) above += 1;
    else if (candidate < right) before += 1;
    else if (candidate > right) behind += 1;
    if (similarity > row[first]!) first = candidate;
  }
  nearest[query] = first;
  best[query] = above;
  ranks[query] = above + before;
  worst[query] = above + before + behind;
}

/** The most similar of each image's own captions, the first of equal ones; caption −1 where there are none. */
function bestCaptions(
  own: Float32Array,
  imageOf: ArrayLike<number>,
  images: number,
): { readonly similarity: Float32Array; readonly caption: Int32Array } {
  const similarity = new Float32Array(images).fill(-Infinity);
  const caption = new Int32Array(images).fill(-1);
  for (let i = 0; i < own.length; i++) {
    const image = imageOf[i]!;
    if (caption[image] !== -1 && own[i]! <= similarity[image]!) continue;
    similarity[image] = own[i]!;
    caption[image] = i;
  }
  return { similarity, caption };
}

function checkPairs(images: Rows, captions: Rows, imageOf: ArrayLike<number>): void {
  if (images.rows === 0 || captions.rows === 0) {
    throw new InputError(
      `retrieval: expected at least one image and one caption, got ${images.rows} and ${captions.rows}`,
    );
  }
  if (imageOf.length !== captions.rows) {
    throw new InputError(
      `retrieval: expected the image of each of ${captions.rows} captions, got ${imageOf.length}`,
    );
  }
  for (let caption = 0; caption < imageOf.length; caption++) {
    const image = imageOf[caption]!;
    if (Number.isInteger(image) && image >= 0 && image < images.rows) continue;
    throw new InputError(
      `retrieval: caption ${caption} belongs to image ${image}, expected 0 to ${images.rows - 1}`,
    );
  }
}
