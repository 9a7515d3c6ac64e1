/**
 * Mean average precision of images with several classes each.
 *
 * Per class, images are sorted by score, and AP = (1 / positives) Σ precision at each positive. A class without
 * positives has AP 0 and counts in the mean.
 * Source: CLIP_benchmark, metrics/zeroshot_classification.py, average_precision_per_class; its torch.sort is not
 * stable, and images with equal scores come in any order. Here they keep the order of the dataset.
 */
import { InputError } from "../../errors/input-error.ts";
import type { Rows } from "../../features/features.ts";
import { cosineBlocks } from "./cosine-blocks.ts";

/** The average precision of one class. */
export interface ClassPrecision {
  readonly averagePrecision: number;
  /** The number of images of the class. */
  readonly positives: number;
  /** Images whose score equals that of an image of the other kind, so that their order decides. */
  readonly ties: number;
}

/** Mean average precision, and the average precision of each class. */
export interface MeanAveragePrecision {
  /** A float32 value, as CLIP_benchmark reports it. */
  readonly meanAveragePrecision: number;
  readonly classes: readonly ClassPrecision[];
  /** Images that share a score with an image of the other kind, summed over the classes. */
  readonly ties: number;
}

/**
 * @param images [images, embedDim]
 * @param positives the classes of each image, indices from 0
 * @param classifier [classes, embedDim], from `classEmbeddings`
 * @param size values in a block of scores
 * @throws InputError if images and classes do not match, or there are no images
 */
export async function meanAveragePrecision(
  images: Rows,
  positives: readonly (readonly number[])[],
  classifier: Rows,
  size?: number,
): Promise<MeanAveragePrecision> {
  if (positives.length !== images.rows || images.rows === 0) {
    throw new InputError(
      `average precision: expected a list of classes for each of at least one image, got ${positives.length} for ${images.rows}`,
    );
  }
  const imagesOf = imagesByClass(positives, classifier.rows);
  const classes: ClassPrecision[] = [];
  const isPositive = new Uint8Array(images.rows);
  for await (const { start, end, cosines } of cosineBlocks(classifier, images, size)) {
    for (let c = start; c < end; c++) {
      isPositive.fill(0);
      for (const image of imagesOf[c]!) isPositive[image] = 1;
      classes.push(
        averagePrecision(
          cosines.subarray((c - start) * images.rows, (c - start + 1) * images.rows),
          isPositive,
        ),
      );
    }
  }
  const sum = classes.reduce((total, { averagePrecision }) => total + averagePrecision, 0);
  return {
    meanAveragePrecision: Math.fround(sum / classes.length),
    classes,
    ties: classes.reduce((total, { ties }) => total + ties, 0),
  };
}

function imagesByClass(positives: readonly (readonly number[])[], classes: number): number[][] {
  const images = Array.from({ length: classes }, (): number[] => []);
  for (const [image, indices] of positives.entries()) {
    for (const c of indices) {
      const list = images[c];
      if (list === undefined) {
        throw new InputError(
          `average precision: image ${image} has the class ${c}, expected 0 to ${classes - 1} for ${classes} class names`,
        );
      }
      list.push(image);
    }
  }
  return images;
}

/**
 * The average precision of one class.
 *
 * @param scores [images], finite
 * @param isPositive [images], 1 for images of the class, else 0
 */
export function averagePrecision(scores: Float32Array, isPositive: ArrayLike<number>): ClassPrecision {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  let found = 0;
  let sum = 0;
  let ties = 0;
  let [groupStart, groupFound] = [0, 0];
  for (let rank = 0; rank < order.length; rank++) {
    const image = order[rank]!;
    if (isPositive[image] === 1) {
      found += 1;
      sum += Math.fround(found / (rank + 1));
    }
    if (rank + 1 < order.length && scores[order[rank + 1]!] === scores[image]) continue;
    const [size, positives] = [rank + 1 - groupStart, found - groupFound];
    if (positives > 0 && positives < size) ties += size;
    [groupStart, groupFound] = [rank + 1, found];
  }
  return { averagePrecision: Math.fround(sum / Math.max(found, 1)), positives: found, ties };
}
