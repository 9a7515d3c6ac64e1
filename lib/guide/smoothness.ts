/**
 * Total variation: the mean absolute difference between neighbouring pixels, smoothed at 0. It penalises noise and leaves
 * edges, so that areas of one colour appear.
 *
 * Paper: Rudin, Osher, Fatemi, "Nonlinear total variation based noise removal algorithms", 1992 (Physica D 60).
 */
import type { Size } from "./cutout.ts";

/** Differences below are penalised by their square: a few of 256 levels. */
const roundness = 0.01;

/**
 * @param image [3, H, W]
 * @param gradient the gradient of weight · smoothness is added to it
 * @returns weight · smoothness
 */
export function smoothness(
  image: Float32Array,
  { height, width }: Size,
  weight: number,
  gradient: Float64Array,
): number {
  const scale = weight / image.length;
  let sum = 0;
  const compare = (i: number, j: number): void => {
    const difference = image[j]! - image[i]!;
    const size = Math.sqrt(difference * difference + roundness * roundness);
    sum += size;
    gradient[j]! += (scale * difference) / size;
    gradient[i]! -= (scale * difference) / size;
  };
  for (let row = 0; row < 3 * height; row++) {
    for (let x = 0; x < width; x++) {
      const i = row * width + x;
      if (x + 1 < width) compare(i, i + 1);
      if ((row % height) + 1 < height) compare(i, i + width);
    }
  }
  return scale * sum;
}
