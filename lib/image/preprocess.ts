import { InputError } from "../errors/input-error.ts";
import { decodeImage } from "./decode.ts";
import type { DecodeOptions, ImageCodecs } from "./decode.ts";
import { AspectRatioError, transform } from "./transform.ts";
import type { PreprocessConfig } from "./transform.ts";

/** Transforms an image file (with a name for messages) to the image tower's input: float32 [3, height, width]. */
export type PreprocessImage = (bytes: Uint8Array, name: string) => Promise<Float32Array>;

/** Decodes and transforms. The returned function throws InputError if a file cannot be decoded or is too narrow. */
export function preprocessImage(
  config: PreprocessConfig,
  codecs: ImageCodecs,
  options: DecodeOptions = {},
): PreprocessImage {
  return async (bytes, name) => {
    const image = await decodeImage(bytes, name, codecs, options);
    try {
      return transform(image, config);
    } catch (error) {
      if (!(error instanceof AspectRatioError)) throw error;
      throw new InputError(
        `${name}: expected a less extreme aspect ratio, found ${error.message}; crop it first`,
      );
    }
  };
}
