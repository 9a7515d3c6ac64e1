/** The image as the network receives it, for maps that are drawn over it. */
import type { Tensor4D } from "@tensorflow/tfjs-core";
import type { VisionConfig } from "../clip/config/clip-config.ts";
import type { Raster } from "../draw/raster.ts";
import type { PreprocessConfig } from "../image/transform.ts";
import { enlargedToShow, pixelsRaster } from "./pixels-raster.ts";

/** Undoes the normalisation, and enlarges small images for display. @param pixels [1, 3, H, W], preprocessed */
export async function shownImage(pixels: Tensor4D, preprocess: PreprocessConfig): Promise<Raster> {
  const [, , height, width] = pixels.shape;
  return enlargedToShow(pixelsRaster(await pixels.data<"float32">(), [height, width], preprocess));
}

/** The patches that an image is cut into. */
export function patchGrid({
  imageSize,
  patchSize,
}: Pick<VisionConfig, "imageSize" | "patchSize">): [rows: number, columns: number] {
  return [Math.floor(imageSize[0] / patchSize[0]), Math.floor(imageSize[1] / patchSize[1])];
}
