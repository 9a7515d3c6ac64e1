/** Reads image files as the image tower's input. */
import type { PreprocessConfig } from "../../image/transform.ts";
import { preprocessImage } from "../../image/preprocess.ts";
import { InputError } from "../../errors/input-error.ts";
import { nodeCodecs } from "./codecs.ts";
import { FileSource } from "../files/file-source.ts";
import type { ImageSource } from "../../tasks/image-source.ts";

/** The settings of a reader, which are sent to the worker threads. */
export interface ReaderOptions {
  readonly config: PreprocessConfig;
  /** Apply the Exif orientation. */
  readonly exifOrientation: boolean;
}

/** To a worker thread. */
export interface ImageRequest {
  readonly index: number;
  readonly source: ImageSource;
}

/** The messages to a worker thread. After "stop" it finishes the current image and exits. */
export type ImageMessage = ImageRequest | "stop";

/** From a worker thread: [3, height, width], or the parts of an InputError, as classes cannot be sent. */
export type ImageReply =
  | { readonly index: number; readonly pixels: Float32Array }
  | { readonly index: number; readonly message: string; readonly details: readonly string[] };

/** Images within the decoder's limit of pixels are smaller than this. */
const mostBytes = 2 ** 31 - 1;

/**
 * Makes a function that reads an image as the image tower's input, [3, height, width].
 *
 * @returns a function that throws InputError for a file that is missing or not a readable image
 */
export function imageReader({
  config,
  exifOrientation,
}: ReaderOptions): (source: ImageSource) => Promise<Float32Array> {
  const preprocess = preprocessImage(config, nodeCodecs(), { exifOrientation });
  return async (source) => {
    const isFile = typeof source === "string";
    const file = await FileSource.open(isFile ? source : source.file);
    try {
      const { name, offset, size } = isFile ? { name: source, offset: 0, size: file.size } : source;
      if (size > mostBytes) {
        throw new InputError(
          `${name}: expected an image of less than 2 GiB, found ${size} bytes; make it smaller`,
        );
      }
      return await preprocess(await file.read(offset, size), name);
    } finally {
      await file.close();
    }
  };
}
