import type { Size } from "../image.ts";
import type { ImageBytes } from "./bytes.ts";

/**
 * Inflates a zlib stream.
 *
 * @param size at most so many bytes are wanted; what follows may be dropped
 * @returns `size` bytes, or fewer if the stream ends first
 * @throws any error for a damaged stream
 */
export type Inflate = (bytes: Uint8Array, size: number) => Promise<Uint8Array>;

/** What a JPEG or WebP decoder gives: RGBA, 8 bits, not premultiplied. */
export interface RgbaImage extends Size {
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Decoders that come from outside: what they need to start depends on where we run. */
export interface ImageCodecs {
  readonly inflate: Inflate;
  /** Gray and YCbCr or RGB JPEG, orientation left alone. Throws for damaged and truncated files. */
  readonly jpeg: (bytes: Uint8Array) => Promise<RgbaImage>;
  /** A still WebP file. Throws for damaged and truncated files. */
  readonly webp: (bytes: Uint8Array) => Promise<RgbaImage>;
}

/** The size that a file's header states, in pixels, read without decoding. Throws ImageFormatError. */
export type ReadHeader = (file: ImageBytes) => Size;
