/** The image tower's input as an image again. */
import { Raster } from "../draw/raster.ts";
import type { PreprocessConfig } from "../image/transform.ts";

/**
 * The image as the network receives it: resized, cropped and normalised, then scaled back to 0 to 255.
 *
 * @param pixels [1, 3, H, W], normalised
 */
export function pixelsRaster(
  pixels: ArrayLike<number>,
  [height, width]: readonly [height: number, width: number],
  { mean, std }: Pick<PreprocessConfig, "mean" | "std">,
): Raster {
  return new Raster(width, height).paint(
    (x, y) =>
      [0, 1, 2].map(
        (channel) => 255 * (pixels[(channel * height + y) * width + x]! * std[channel]! + mean[channel]!),
      ) as [number, number, number],
  );
}

/** In pixels. */
const shownSize = 336;

/** Enlarged for display, by a whole factor. */
export function enlargedToShow(raster: Raster): Raster {
  return raster.enlarged(Math.max(1, Math.round(shownSize / raster.width)));
}
