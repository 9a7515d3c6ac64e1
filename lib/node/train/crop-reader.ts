/** Reads images as training sees them: a random crop of each, with random colours if that is wanted. */
import { decodeImage } from "../../image/decode.ts";
import { asRgb } from "../../image/image.ts";
import { augmentColours, type Augmentation, type AugmentationRandom } from "../../image/augmentation.ts";
import { randomCrop, resizeCrop, usualRatio } from "../../image/random-crop.ts";
import { normalisePixels, type PreprocessConfig } from "../../image/transform.ts";
import type { ImageSource } from "../../tasks/image-source.ts";
import { nodeCodecs } from "../images/codecs.ts";
import { readSource } from "../images/image-reader.ts";

export interface CropOptions {
  readonly config: PreprocessConfig;
  /** As for images of WebDatasets; images of tables are converted after the resize. */
  readonly convertToRgbFirst: boolean;
  readonly augmentation: Augmentation;
}

/** Reads a crop of each image. @throws InputError for an image that cannot be read */
export type CropReader = (
  images: readonly ImageSource[],
  random: AugmentationRandom,
) => Promise<Float32Array>;

/** @returns a function whose result is [images, 3, height, width] */
export function cropReader({ config, convertToRgbFirst, augmentation }: CropOptions): CropReader {
  const codecs = nodeCodecs();
  const [height, width] = config.size;
  return async (images, random) => {
    const pixels = new Float32Array(images.length * 3 * height * width);
    for (const [i, source] of images.entries()) {
      const [bytes, name] = await readSource(source);
      const decoded = await decodeImage(bytes, name, codecs);
      const image = convertToRgbFirst ? asRgb(decoded) : decoded;
      const range = { scale: augmentation.scale, ratio: usualRatio };
      const rgb = resizeCrop(image, randomCrop(image, range, random.torch), config.size);
      augmentColours(rgb, augmentation, random);
      pixels.set(normalisePixels(rgb, config), i * 3 * height * width);
    }
    return pixels;
  };
}
