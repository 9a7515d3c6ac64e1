/** Reads images as the image tower's input. */
import type { PreprocessConfig } from "../../image/transform.ts";
import { preprocessImage, type PreprocessOptions } from "../../image/preprocess.ts";
import { nodeCodecs } from "./codecs.ts";
import { FileSource } from "../files/file-source.ts";
import { assertImage, headBytes } from "../../image/decode.ts";
import type { Box } from "../../image/crop.ts";
import { fileOf, inputName, isDataUrl, nameOf, type ImageSource } from "../../tasks/image-source.ts";
import { readDataUrl, type ReadyImage } from "./image-content.ts";

/** The settings of a reader, which are sent to the worker threads. */
export interface ReaderOptions {
  readonly config: PreprocessConfig;
  /** Apply the Exif orientation. */
  readonly exifOrientation: boolean;
  /** Convert to RGB before the resize. Default: false. */
  readonly convertToRgbFirst?: boolean;
}

/** What a worker thread starts with. */
export interface WorkerOptions extends ReaderOptions {
  /** Decode with sharp, which the main thread has loaded. */
  readonly sharp: boolean;
}

/** To a worker thread. */
export interface ImageRequest {
  readonly index: number;
  readonly image: ReadyImage;
}

/** The messages to a worker thread. After "stop" it finishes the current image and exits. */
export type ImageMessage = ImageRequest | "stop";

/** From a worker thread: [3, height, width], or the parts of an InputError, as classes cannot be sent. */
export type ImageReply =
  | { readonly index: number; readonly pixels: Float32Array }
  | { readonly index: number; readonly message: string; readonly details: readonly string[] };

/**
 * Makes a function that reads an image as the image tower's input, [3, height, width].
 *
 * @returns a function that throws InputError for a file that is missing or not a readable image
 */
export function imageReader({
  config,
  ...options
}: ReaderOptions & Pick<PreprocessOptions, "transform">): (image: ReadyImage) => Promise<Float32Array> {
  const preprocess = preprocessImage(config, nodeCodecs(), options);
  return async (image) => {
    if (typeof image === "object" && "content" in image) return preprocess(image.content, image.name);
    if (typeof image === "object" || !isDataUrl(image)) return preprocess(...(await readSource(image)));
    const name = inputName(image, 0);
    return preprocess(await readDataUrl(image, name), name);
  };
}

/** @returns the bytes of an image, its name, and the rectangle to cut out @throws InputError if it is not an image, before it is read whole */
export async function readSource(source: ImageSource): Promise<[bytes: Uint8Array, name: string, box?: Box]> {
  const file = await FileSource.open(fileOf(source));
  try {
    const name = nameOf(source);
    const isPart = typeof source === "object" && "offset" in source;
    const { offset, size } = isPart ? source : { offset: 0, size: file.size };
    assertImage(await file.read(offset, Math.min(size, headBytes)), size, name);
    const bytes = await file.read(offset, size);
    return typeof source === "object" && "box" in source ? [bytes, name, source.box] : [bytes, name];
  } finally {
    await file.close();
  }
}
