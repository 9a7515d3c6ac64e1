import type { Size } from "../image.ts";
import type { ImageBytes } from "./bytes.ts";

/**
 * Inflates a zlib stream.
 *
 * @param size the number of bytes needed; the rest may be dropped
 * @returns `size` bytes, or fewer if the stream ends first
 * @throws any error if the stream is damaged
 */
export type Inflate = (bytes: Uint8Array, size: number) => Promise<Uint8Array>;

/** The result of a JPEG or WebP codec: 8 bits, not premultiplied. */
export interface CodecImage extends Size {
  /** [height, width, stride] */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** Samples of a pixel: 3 for RGB, 4 for RGBA. */
  readonly stride: 3 | 4;
}

/** Decoders that the host provides, because it decides how to load them. */
export interface ImageCodecs {
  readonly inflate: Inflate;
  /**
   * Decodes gray, YCbCr and RGB JPEG without applying the orientation. Gray gives three equal bands. Throws if the file
   * is damaged or truncated.
   */
  readonly jpeg: (bytes: Uint8Array) => Promise<CodecImage>;
  /** Decodes a still WebP file to RGBA. Throws if the file is damaged or truncated. */
  readonly webp: (bytes: Uint8Array) => Promise<CodecImage>;
}

/** Reads the size in a file's header, in pixels, without decoding the image. Throws ImageFormatError. */
export type ReadHeader = (file: ImageBytes) => Size;
