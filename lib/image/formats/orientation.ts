import { samplesLike } from "../image.ts";
import type { DecodedImage } from "../image.ts";
import { ImageBytes, ImageFormatError } from "./bytes.ts";
import { readDirectory } from "./tags.ts";

const ORIENTATION = 274;

/** The orientation that an Exif block states, 1 to 8; 1, which is upright, for a block that cannot be read. */
export function readOrientation(exif: Uint8Array | undefined): number {
  if (exif === undefined) return 1;
  try {
    return readDirectory(new ImageBytes(exif)).number(ORIENTATION, 1);
  } catch (error) {
    // Broken metadata does not break the picture.
    if (error instanceof ImageFormatError) return 1;
    throw error;
  }
}

/**
 * The picture as its orientation says that it should be seen.
 *
 * @param orientation as in Exif: 2 mirrored, 3 upside down, 4 flipped, 5 to 8 with rows and columns exchanged
 * @source Pillow, src/PIL/ImageOps.py, exif_transpose
 */
export function orient(image: DecodedImage, orientation: number): DecodedImage {
  if (orientation < 2 || orientation > 8) return image;
  const { width, height, stride, data } = image;
  const exchanged = orientation >= 5;
  const mirrored = [2, 3, 7, 8].includes(orientation);
  const flipped = [3, 4, 6, 7].includes(orientation);
  const turned = {
    ...image,
    width: exchanged ? height : width,
    height: exchanged ? width : height,
    data: samplesLike(data, data.length),
  };
  let to = 0;
  for (let y = 0; y < turned.height; y++) {
    for (let x = 0; x < turned.width; x++) {
      const column = exchanged ? y : x;
      const row = exchanged ? x : y;
      const from =
        ((flipped ? height - 1 - row : row) * width + (mirrored ? width - 1 - column : column)) * stride;
      for (let band = 0; band < stride; band++) turned.data[to++] = data[from + band]!;
    }
  }
  return turned;
}
