/** The image as the network receives it, for maps that are drawn over it. */
import type { Tensor4D } from "@tensorflow/tfjs-core";
import type { VisionConfig } from "../clip/config/clip-config.ts";
import { Raster } from "../draw/raster.ts";
import type { PreprocessConfig } from "../image/transform.ts";

/** In pixels. */
const shownSize = 336;

/** Undoes the normalisation, and enlarges small images for display. @param pixels [1, 3, H, W], preprocessed */
export async function shownImage(pixels: Tensor4D, { mean, std }: PreprocessConfig): Promise<Raster> {
  const [, , height, width] = pixels.shape;
  const values = await pixels.data<"float32">();
  const raster = new Raster(width, height).paint(
    (x, y) =>
      [0, 1, 2].map(
        (channel) => 255 * (values[(channel * height + y) * width + x]! * std[channel]! + mean[channel]!),
      ) as [number, number, number],
  );
  return raster.enlarged(Math.max(1, Math.round(shownSize / width)));
}

/** The patches that an image is cut into. */
export function patchGrid({
  imageSize,
  patchSize,
}: Pick<VisionConfig, "imageSize" | "patchSize">): [rows: number, columns: number] {
  return [Math.floor(imageSize[0] / patchSize[0]), Math.floor(imageSize[1] / patchSize[1])];
}
