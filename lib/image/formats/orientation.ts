import { samplesLike } from "../image.ts";
import type { DecodedImage } from "../image.ts";
import { ImageBytes, ImageFormatError } from "./bytes.ts";
import { readDirectory } from "./tags.ts";

const orientationTag = 274;

/** The orientation in an Exif block, 1 to 8. 1 (upright) if the block is missing or cannot be read. */
export function readOrientation(exif: Uint8Array | undefined): number {
  if (exif === undefined) return 1;
  try {
    return readDirectory(new ImageBytes(exif)).number(orientationTag, 1);
  } catch (error) {
    // The image can be decoded without its metadata.
    if (error instanceof ImageFormatError) return 1;
    throw error;
  }
}

/**
 * Rotates and mirrors an image so that it is upright.
 *
 * @param orientation as in Exif: 2 mirrored, 3 upside down, 4 flipped, 5 to 8 with rows and columns swapped
 * Source: Pillow, src/PIL/ImageOps.py, exif_transpose
 */
export function orient(image: DecodedImage, orientation: number): DecodedImage {
  if (orientation < 2 || orientation > 8) return image;
  const { width, height, stride, data } = image;
  const swapped = orientation >= 5;
  const mirrored = [2, 3, 7, 8].includes(orientation);
  const flipped = [3, 4, 6, 7].includes(orientation);
  const turned = {
    ...image,
    width: swapped ? height : width,
    height: swapped ? width : height,
    data: samplesLike(data, data.length),
  };
  let to = 0;
  for (let y = 0; y < turned.height; y++) {
    for (let x = 0; x < turned.width; x++) {
      const column = swapped ? y : x;
      const row = swapped ? x : y;
      const from =
        ((flipped ? height - 1 - row : row) * width + (mirrored ? width - 1 - column : column)) * stride;
      for (let band = 0; band < stride; band++) turned.data[to++] = data[from + band]!;
    }
  }
  return turned;
}
