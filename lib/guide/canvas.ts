/** The canvas as an image, and an image as a canvas. */
import { Raster } from "../draw/raster.ts";
import { toRgb, type DecodedImage } from "../image/image.ts";
import { transformPixels, type PreprocessConfig } from "../image/transform.ts";
import type { Size } from "./cutout.ts";

/** @param image [3, H, W] in 0…1 */
export function canvasRaster(image: Float32Array, { height, width }: Size): Raster {
  const size = height * width;
  const raster = new Raster(width, height);
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 3; channel++) {
      raster.rgb[3 * i + channel] = Math.round(255 * image[channel * size + i]!);
    }
  }
  return raster;
}

/** A raster as a decoded image, which preprocessing takes. */
export function rasterImage({ width, height, rgb }: Raster): DecodedImage {
  return { width, height, mode: "RGB", data: rgb, stride: 3 };
}

/** An image, resized and cropped to the canvas. @returns [3, H, W] in 0…1 @throws AspectRatioError */
export function imageCanvas(
  image: DecodedImage,
  { height, width }: Size,
  config: PreprocessConfig,
): Float32Array {
  const rgb = transformPixels(
    { ...image, mode: "RGB", data: toRgb(image), stride: 3 },
    { ...config, size: [height, width] },
  );
  const pixels = height * width;
  return Float32Array.from(
    { length: 3 * pixels },
    (_, i) => rgb[(i % pixels) * 3 + Math.floor(i / pixels)]! / 255,
  );
}
