import type { PreprocessConfig } from "../../image/transform.ts";
import { preprocessImage } from "../../image/preprocess.ts";
import { InputError } from "../../errors/input-error.ts";
import { nodeCodecs } from "./codecs.ts";
import { FileSource } from "../files/file-source.ts";
import type { ImageSource } from "./image-source.ts";

/** What a reader depends on; it crosses to the worker threads. */
export interface ReaderOptions {
  readonly config: PreprocessConfig;
  /** Turn pictures as their Exif orientation says; the reference does not. */
  readonly exifOrientation: boolean;
}

/** To a worker thread. */
export interface ImageRequest {
  readonly index: number;
  readonly source: ImageSource;
}

/** What a worker thread listens to; told to leave, it finishes the picture in its hands and takes no other. */
export type ImageMessage = ImageRequest | "leave";

/** From a worker thread: float32 [3, height, width], or an InputError in parts, as classes do not cross. */
export type ImageReply =
  | { readonly index: number; readonly pixels: Float32Array }
  | { readonly index: number; readonly message: string; readonly details: readonly string[] };

/** Larger files hold no picture within the decoder's limit that anyone would keep. */
const MAXIMUM_BYTES = 2 ** 31 - 1;

/**
 * Reads image files as the image tower's input, float32 [3, height, width].
 *
 * @returns a function that throws InputError for a file that is missing, or no image that can be read
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
      if (size > MAXIMUM_BYTES) {
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
