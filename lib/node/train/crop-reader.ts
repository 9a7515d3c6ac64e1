/** Reads images as training sees them: a random crop of each. */
import { decodeImage } from "../../image/decode.ts";
import { asRgb } from "../../image/image.ts";
import { openClipCrops, randomCrop, transformCrop } from "../../image/random-crop.ts";
import type { PreprocessConfig } from "../../image/transform.ts";
import type { ImageSource } from "../../tasks/image-source.ts";
import type { TorchRandom } from "../../tensor/torch-random.ts";
import { nodeCodecs } from "../images/codecs.ts";
import { readSource } from "../images/image-reader.ts";

export interface CropOptions {
  readonly config: PreprocessConfig;
  /** As for images of WebDatasets; images of tables are converted after the resize. */
  readonly convertToRgbFirst: boolean;
}

/** Reads a crop of each image. @throws InputError for an image that cannot be read */
export type CropReader = (images: readonly ImageSource[], random: TorchRandom) => Promise<Float32Array>;

/** @returns a function whose result is [images, 3, height, width] */
export function cropReader({ config, convertToRgbFirst }: CropOptions): CropReader {
  const codecs = nodeCodecs();
  const [height, width] = config.size;
  return async (images, random) => {
    const pixels = new Float32Array(images.length * 3 * height * width);
    for (const [i, source] of images.entries()) {
      const [bytes, name] = await readSource(source);
      const decoded = await decodeImage(bytes, name, codecs);
      const image = convertToRgbFirst ? asRgb(decoded) : decoded;
      pixels.set(
        transformCrop(image, randomCrop(image, openClipCrops, random), config),
        i * 3 * height * width,
      );
    }
    return pixels;
  };
}
