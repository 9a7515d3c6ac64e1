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

/** The result of a JPEG or WebP codec: RGBA, 8 bits, not premultiplied. */
export interface RgbaImage extends Size {
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Decoders that the host provides, because it decides how to load them. */
export interface ImageCodecs {
  readonly inflate: Inflate;
  /** Decodes gray, YCbCr and RGB JPEG without applying the orientation. Throws if the file is damaged or truncated. */
  readonly jpeg: (bytes: Uint8Array) => Promise<RgbaImage>;
  /** Decodes a still WebP file. Throws if the file is damaged or truncated. */
  readonly webp: (bytes: Uint8Array) => Promise<RgbaImage>;
}

/** Reads the size in a file's header, in pixels, without decoding the image. Throws ImageFormatError. */
export type ReadHeader = (file: ImageBytes) => Size;
