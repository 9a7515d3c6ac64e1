import { InputError } from "../errors/input-error.ts";
import { decodeImage } from "./decode.ts";
import { crop, type Box } from "./crop.ts";
import type { DecodeOptions, ImageCodecs } from "./decode.ts";
import { asRgb, type DecodedImage } from "./image.ts";
import { AspectRatioError, transform } from "./transform.ts";
import type { PreprocessConfig } from "./transform.ts";

/**
 * Transforms an image file (with a name for messages), or a rectangle of it, to the image tower's input: float32
 * [3, height, width].
 */
export type PreprocessImage = (bytes: Uint8Array, name: string, box?: Box) => Promise<Float32Array>;

/** How an image file becomes the image tower's input, apart from the model's own preprocessing. */
export interface PreprocessOptions extends DecodeOptions {
  /** Convert to RGB before the resize, as torchvision's ImageFolder does; open_clip resizes first. Default: false. */
  readonly convertToRgbFirst?: boolean;
  /** Replaces open_clip's transform; it may throw AspectRatioError. */
  readonly transform?: (image: DecodedImage, config: PreprocessConfig) => Float32Array;
}

/** Decodes and transforms. The returned function throws InputError if a file cannot be decoded or is too narrow. */
export function preprocessImage(
  config: PreprocessConfig,
  codecs: ImageCodecs,
  { convertToRgbFirst = false, transform: toPixels = transform, ...options }: PreprocessOptions = {},
): PreprocessImage {
  return async (bytes, name, box) => {
    const decoded = await decodeImage(bytes, name, codecs, options);
    const whole = convertToRgbFirst || box !== undefined ? asRgb(decoded) : decoded;
    const image = box === undefined ? whole : crop(whole, box);
    try {
      return toPixels(image, config);
    } catch (error) {
      if (!(error instanceof AspectRatioError)) throw error;
      throw new InputError(
        `${name}: expected a less extreme aspect ratio, found ${error.message}; crop it first`,
      );
    }
  };
}
