import { newSamples, type DecodedImage } from "./image.ts";

/** A rectangle in pixels: from the column `left` to before `right`, and from the row `top` to before `bottom`. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/**
 * Cuts a rectangle out of an image. What lies outside the image is black.
 *
 * Source: Pillow, Image.crop.
 * @throws RangeError for a rectangle without pixels
 */
export function crop(image: DecodedImage, [left, top, right, bottom]: Box): DecodedImage {
  const [width, height] = [right - left, bottom - top];
  if (!(width > 0 && height > 0)) throw new RangeError(`no pixels from ${left},${top} to ${right},${bottom}`);
  const { mode, stride } = image;
  const data = newSamples(mode, width * height * stride);
  const [from, to] = [Math.max(left, 0), Math.min(right, image.width)];
  for (let y = Math.max(top, 0); y < Math.min(bottom, image.height) && from < to; y++) {
    const row = image.data.subarray((y * image.width + from) * stride, (y * image.width + to) * stride);
    data.set(row, ((y - top) * width + from - left) * stride);
  }
  return { ...image, width, height, data };
}
