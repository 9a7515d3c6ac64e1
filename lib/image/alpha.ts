/**
 * Arithmetic with alpha, as Pillow computes it in 8 bits.
 *
 * Source: Pillow, src/libImaging/ImagingUtils.h, MULDIV255; Convert.c, rgbA2rgba; Unpack.c, unpackRGBa
 */
import type { Samples } from "./samples.ts";

/**
 * `a * b / 255`, rounded, without a division.
 *
 * @param a 0 to 255
 * @param b 0 to 255
 */
export function multiply255(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** Multiplies the colours of 8-bit pixels by alpha, which is the last of a pixel's `stride` samples. */
export function premultiply(data: Samples, stride: number): Uint8Array {
  const product = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += stride) {
    const alpha = data[at + stride - 1]!;
    for (let band = 0; band < stride - 1; band++) product[at + band] = multiply255(data[at + band]!, alpha);
    product[at + stride - 1] = alpha;
  }
  return product;
}

/**
 * Divides the colours of 8-bit pixels by alpha, in place.
 *
 * @param transparent the colour of pixels with alpha 0: kept, as after a resize, or black, as in files
 */
export function unpremultiply(data: Samples, stride: number, transparent: "kept" | "black"): void {
  for (let at = 0; at < data.length; at += stride) {
    const alpha = data[at + stride - 1]!;
    if (alpha === 255 || (alpha === 0 && transparent === "kept")) continue;
    for (let band = 0; band < stride - 1; band++) {
      data[at + band] = alpha === 0 ? 0 : Math.min(Math.trunc((255 * data[at + band]!) / alpha), 255);
    }
  }
}
