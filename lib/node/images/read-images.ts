/** Reads a few images at once. For many, use embedImages, which decodes while it computes. */
import { tensor4d, type Tensor4D } from "@tensorflow/tfjs-core";
import type { PreprocessOptions } from "../../image/preprocess.ts";
import type { PreprocessConfig } from "../../image/transform.ts";
import { assertImageList } from "../../tasks/embed-arguments.ts";
import type { ImageInput } from "../../tasks/image-source.ts";
import { readyImage } from "./image-content.ts";
import { imageReader } from "./image-reader.ts";

/**
 * Reads images as the image tower's input: decoded, resized, cropped and normalised like OpenCLIP's eval transform, or as
 * another transform does.
 *
 * @param images paths, encoded bytes, blobs, streams and `data:` URLs
 * @param config `model.preprocess`
 * @returns [images, 3, H, W]; the caller disposes it
 * @throws InputError for an image that is missing or cannot be read
 */
export async function readImages(
  images: readonly ImageInput[],
  config: PreprocessConfig,
  { exifOrientation = false, ...options }: Pick<PreprocessOptions, "exifOrientation" | "transform"> = {},
): Promise<Tensor4D> {
  assertImageList(images, "readImages");
  const read = imageReader({ config, exifOrientation, ...options });
  const [height, width] = config.size;
  const size = 3 * height * width;
  const pixels = new Float32Array(images.length * size);
  for (const [i, image] of images.entries()) pixels.set(await read(await readyImage(image, i)), i * size);
  return tensor4d(pixels, [images.length, 3, height, width]);
}
