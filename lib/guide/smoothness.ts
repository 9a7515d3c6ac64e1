/** The mean squared difference between neighbouring pixels, which penalises noise: "total variation". */
import type { Size } from "./cutout.ts";

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
    sum += difference * difference;
    gradient[j]! += 2 * scale * difference;
    gradient[i]! -= 2 * scale * difference;
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
