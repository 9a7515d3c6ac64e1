/**
 * The limits of decoding, which keep a small file from taking much memory (a "decompression bomb"). Each is checked
 * against the file's header, before memory is taken.
 */
import { ImageLimitError, truncated, type ImageBytes } from "./formats/bytes.ts";
import type { Size } from "./image.ts";

/** The size from which Pillow refuses a decompression bomb: twice its MAX_IMAGE_PIXELS. */
export const maximumPixels = 2 * Math.floor(2 ** 30 / 4 / 3);

/** An image file, and the samples that it unpacks to, have at most this many bytes: 1 GiB. */
export const maximumBytes = 2 ** 30;

/** Scans of a JPEG. Progressive files have about ten; each is a pass over all pixels, however short it is. */
export const maximumScans = 500;

/**
 * How many bytes a byte can unpack to at most.
 *
 * Deflate: 258 bytes in two bits. LZW: a code stands for less than 4096 bytes. PackBits: 128 bytes in two.
 */
export const maximumRatios = { deflate: 1032, lzw: 4096, packBits: 64 } as const;

/** @throws ImageLimitError */
export function assertPixels({ width, height }: Size): void {
  if (width * height <= maximumPixels) return;
  throw new ImageLimitError(`expected at most ${maximumPixels} pixels, found ${width} x ${height}`);
}

/** @throws ImageLimitError */
export function assertUnpacked(bytes: number): void {
  if (bytes <= maximumBytes) return;
  throw new ImageLimitError(`expected pixels of at most ${maximumBytes} bytes, found ${bytes}`);
}

/**
 * Refuses compressed data that are too short for what they should unpack to.
 *
 * @throws ImageFormatError of a truncated file
 */
export function assertEnough(
  file: ImageBytes,
  packed: number,
  unpacked: number,
  method: keyof typeof maximumRatios,
): void {
  if (packed * maximumRatios[method] < unpacked) throw truncated(file.length);
}
