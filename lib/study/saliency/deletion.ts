/**
 * The deletion curve: the check of a saliency map. The patches that it calls most important are covered first; if the map
 * is right, the score falls early, and the area under the curve is small.
 *
 * Compare with the same map from its least important patch on, and with another method's map of the same image.
 * Paper: Petsiuk, Das, Saenko, "RISE", 2018 (arXiv 1806.07421), section 4.2.
 */
import { mul, tensor4d, tidy, type Tensor2D, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { assertChoice, assertWhole } from "../../errors/arguments.ts";
import { patchGrid } from "../shown-image.ts";
import { scoresOf } from "./direction.ts";
import { pooled, type SaliencyMap } from "./map.ts";
import { assertOneImage } from "./one-image.ts";

/** Options of `deletionCurve`. */
export interface DeletionOptions {
  /** Which patches are covered first. Default: the largest numbers. */
  readonly first?: "largest" | "smallest";
  /** Points of the curve after the whole image. Default: one for each patch, at most 32. */
  readonly steps?: number;
  /** Images that run together. Default: 8. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** A deletion curve. */
export interface DeletionCurve {
  /** The share of patches that are covered, from 0 to 1. */
  readonly fractions: readonly number[];
  /** The score at each of them. */
  readonly scores: readonly number[];
  /** The mean height of the curve, by the trapezoid rule, in the score's unit. */
  readonly area: number;
}

/**
 * Covers the patches of an image with the mean colour, in the order of a map.
 *
 * @param pixels [1, 3, H, W], preprocessed
 * @param map of pixels, which are summed over patches, or of patches
 * @param direction that the map explains
 * @throws InputError as `encodeImage`; the signal's reason if it is aborted
 */
export async function deletionCurve(
  model: Clip,
  pixels: Tensor4D,
  map: SaliencyMap,
  direction: Tensor2D,
  options: DeletionOptions = {},
): Promise<DeletionCurve> {
  assertOneImage(pixels, "deletionCurve");
  const grid = patchGrid(model.config.vision);
  const { values } = pooled(map, grid);
  const {
    first = "largest",
    steps = Math.min(values.length, 32),
    batchSize = 8,
    signal,
    onProgress,
  } = options;
  assertChoice(first, ["largest", "smallest"], "deletionCurve: first");
  assertWhole(steps, 1, "deletionCurve: steps");
  assertWhole(batchSize, 1, "deletionCurve: batchSize");
  const sign = first === "largest" ? -1 : 1;
  const order = Array.from(values.keys()).sort((a, b) => sign * (values[a]! - values[b]!));
  const counts = Array.from({ length: steps + 1 }, (_, i) => Math.round((i * values.length) / steps));
  const scores: number[] = [];
  for (let start = 0; start < counts.length; start += batchSize) {
    const some = counts.slice(start, start + batchSize);
    const covered = some.map((count) => new Set(order.slice(0, count)));
    const batch = tidy(() => mul<Tensor4D>(pixels, masks(covered, grid, model.config.vision.imageSize)));
    scores.push(
      ...(await scoresOf(model.encodeImage(batch, { normalize: true, signal }), direction).finally(() => {
        batch.dispose();
      })),
    );
    onProgress?.(scores.length, counts.length);
  }
  const fractions = counts.map((count) => count / values.length);
  const area = scores
    .slice(1)
    .reduce((sum, score, i) => sum + ((score + scores[i]!) / 2) * (fractions[i + 1]! - fractions[i]!), 0);
  return { fractions, scores, area };
}

/** 0 in the covered patches, 1 elsewhere. [images, 1, H, W] */
function masks(
  covered: readonly ReadonlySet<number>[],
  [rows, columns]: readonly [number, number],
  [height, width]: readonly [number, number],
): Tensor4D {
  const values = new Float32Array(covered.length * height * width);
  let at = 0;
  for (const patches of covered) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const patch = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
        values[at++] = patches.has(patch) ? 0 : 1;
      }
    }
  }
  return tensor4d(values, [covered.length, 1, height, width]);
}
