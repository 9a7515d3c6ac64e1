/**
 * Gradient × input, and its integral from a baseline.
 *
 * Gradient × input is the first-order estimate of what the score loses if a pixel becomes the mean colour. It misses what
 * is saturated: a pixel can matter although a small change of it does not. Integrated gradients (Sundararajan et al.,
 * "Axiomatic Attribution for Deep Networks", 2017, arXiv 1703.01365) average the gradient on the way from the baseline
 * to the image; their sum is the difference of the two scores.
 */
import { add, concat, mul, sum, tensor4d, tidy, zerosLike } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { gradients } from "../../clip/gradients.ts";
import { assertWhole } from "../../errors/arguments.ts";
import type { RunOptions } from "../../nn/tower.ts";
import { assertOneImage } from "./one-image.ts";
import { scoresOf, scoreSum } from "./direction.ts";
import type { SaliencyMap } from "./map.ts";

/** The result of `gradientTimesInput`. */
export interface GradientSaliency {
  /** î · direction */
  readonly score: number;
  /** One number for each pixel, summed over the colours. Positive numbers speak for the score. */
  readonly map: SaliencyMap;
}

/**
 * Gradient × input. The input is measured from the mean colour of the training set, which is 0 after normalisation.
 *
 * @param pixels [1, 3, H, W], preprocessed
 * @param direction see `labelDirection`
 * @throws InputError as `gradients`; the signal's reason if it is aborted
 */
export async function gradientTimesInput(
  model: Clip,
  pixels: Tensor4D,
  direction: Tensor2D,
  options: RunOptions = {},
): Promise<GradientSaliency> {
  assertOneImage(pixels, "gradientTimesInput");
  const { loss, pixels: gradient } = await gradients(
    model,
    { pixels },
    ({ images }) => scoreSum(images!, direction),
    { ...options, of: ["pixels"] },
  );
  const product = tidy(() => sumOfColors(mul(gradient!, pixels)));
  gradient!.dispose();
  return { score: loss, map: await mapOf(product, "gradient x input, as change of the cosine similarity") };
}

/** Options of `integratedGradients`. */
export interface IntegratedOptions {
  /** Points on the way, by the midpoint rule. Default: 16. */
  readonly steps?: number;
  /** Points that run together. Default: 4. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** The result of `integratedGradients`. */
export interface IntegratedSaliency extends GradientSaliency {
  /** The score of the baseline, an image of the mean colour. */
  readonly baselineScore: number;
  /** (score − baselineScore) − the sum of the map: the error of the steps. 0 if there are enough of them. */
  readonly gap: number;
}

/**
 * Integrated gradients from an image of the mean colour.
 *
 * @param pixels [1, 3, H, W], preprocessed
 * @param direction see `labelDirection`
 * @throws InputError as `gradients`; the signal's reason if it is aborted
 */
export async function integratedGradients(
  model: Clip,
  pixels: Tensor4D,
  direction: Tensor2D,
  { steps = 16, batchSize = 4, signal, onProgress }: IntegratedOptions = {},
): Promise<IntegratedSaliency> {
  assertOneImage(pixels, "integratedGradients");
  assertWhole(steps, 1, "integratedGradients: steps");
  assertWhole(batchSize, 1, "integratedGradients: batchSize");
  const ends = tidy(() => concat([pixels, zerosLike(pixels)], 0));
  const [score = NaN, baselineScore = NaN] = await scoresOf(
    model.encodeImage(ends, { normalize: true, signal }),
    direction,
  ).finally(() => {
    ends.dispose();
  });
  let total: Tensor = zerosLike(pixels);
  try {
    for (let start = 0; start < steps; start += batchSize) {
      const count = Math.min(batchSize, steps - start);
      const shares = Array.from({ length: count }, (_, i) => (start + i + 0.5) / steps);
      const points = tidy(() => mul<Tensor4D>(pixels, tensor4d(shares, [count, 1, 1, 1])));
      const { pixels: gradient } = await gradients(
        model,
        { pixels: points },
        ({ images }) => scoreSum(images!, direction),
        { of: ["pixels"], signal },
      ).finally(() => {
        points.dispose();
      });
      const before = total;
      total = tidy(() => add(before, sum(gradient!, 0, true)));
      for (const tensor of [before, gradient!]) tensor.dispose();
      onProgress?.(start + count, steps);
    }
    const product = tidy(() => sumOfColors(mul(mul(total, pixels), 1 / steps)));
    const map = await mapOf(product, "integrated gradients, as change of the cosine similarity");
    const gap = score - baselineScore - map.values.reduce((a, b) => a + b, 0);
    return { score, baselineScore, map, gap };
  } finally {
    total.dispose();
  }
}

/** [1, 3, H, W] → [H, W] */
function sumOfColors(values: Tensor): Tensor2D {
  return sum(values, [0, 1]);
}

/** Disposes the values. @param values [H, W] */
async function mapOf(values: Tensor2D, quantity: string): Promise<SaliencyMap> {
  const [rows, columns] = values.shape;
  const numbers = Float32Array.from(await values.data<"float32">());
  values.dispose();
  return { rows, columns, values: numbers, quantity, isSigned: true };
}
