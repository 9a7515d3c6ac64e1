/** Reads a few image files at once. For many, use embedImages, which decodes while it computes. */
import { tensor4d, type Tensor4D } from "@tensorflow/tfjs-core";
import type { PreprocessConfig } from "../../image/transform.ts";
import { imageReader } from "./image-reader.ts";

/**
 * Reads image files as the image tower's input: decoded, resized, cropped and normalised like OpenCLIP's eval transform.
 *
 * @param config `model.preprocess`
 * @returns [paths, 3, H, W]; the caller disposes it
 * @throws InputError for a file that is missing or not a readable image
 */
export async function readImages(
  paths: readonly string[],
  config: PreprocessConfig,
  { exifOrientation = false }: { readonly exifOrientation?: boolean } = {},
): Promise<Tensor4D> {
  const read = imageReader({ config, exifOrientation });
  const [height, width] = config.size;
  const size = 3 * height * width;
  const pixels = new Float32Array(paths.length * size);
  for (const [i, path] of paths.entries()) pixels.set(await read(path), i * size);
  return tensor4d(pixels, [paths.length, 3, height, width]);
}
