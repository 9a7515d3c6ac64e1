/**
 * The two steps of a resize for 8-bit samples, in fixed point: with SIMD if the host and the image allow it, else in
 * plain JavaScript, with the same result.
 */
import type { Raster, Window } from "./raster.ts";
import { simdHorizontal, simdVertical } from "./simd.ts";
import { fractionBits, oneHalf, type FixedCoefficients } from "./resize-weights.ts";

/** The columns of a window. @returns [window.height, window.width, bands] */
export function fixedHorizontal(
  raster: Raster<Uint8Array>,
  coefficients: FixedCoefficients,
  window: Window,
): Uint8Array {
  return simdHorizontal(raster, coefficients, window) ?? plainHorizontal(raster, coefficients, window);
}

/** `height` rows. @returns [height, width, bands] */
export function fixedVertical(
  raster: Raster<Uint8Array>,
  coefficients: FixedCoefficients,
  height: number,
): Uint8Array {
  return simdVertical(raster, coefficients, height) ?? plainVertical(raster, coefficients, height);
}

function clip8(sum: number): number {
  const value = sum >> fractionBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** `fixedHorizontal` without SIMD. */
export function plainHorizontal(
  { width, stride, bands, data }: Raster<Uint8Array>,
  { taps, first, count, weights }: FixedCoefficients,
  window: Window,
): Uint8Array {
  const target = new Uint8Array(window.width * window.height * bands);
  let to = 0;
  for (let y = window.top; y < window.top + window.height; y++) {
    const row = y * width * stride;
    for (let x = 0; x < window.width; x++) {
      const start = x * taps;
      const end = start + count[x]!;
      for (let band = 0; band < bands; band++) {
        let from = row + first[x]! * stride + band;
        let sum = oneHalf;
        for (let k = start; k < end; k++, from += stride) {
          sum = (sum + Math.imul(data[from]!, weights[k]!)) | 0;
        }
        target[to++] = clip8(sum);
      }
    }
  }
  return target;
}

/** `fixedVertical` without SIMD. */
export function plainVertical(
  { width, stride, bands, data }: Raster<Uint8Array>,
  { taps, first, count, weights }: FixedCoefficients,
  height: number,
): Uint8Array {
  const target = new Uint8Array(width * bands * height);
  const sums = new Int32Array(width * bands);
  for (let y = 0; y < height; y++) {
    sums.fill(oneHalf);
    for (let k = 0; k < count[y]!; k++) {
      const weight = weights[y * taps + k]!;
      let from = (first[y]! + k) * width * stride;
      for (let i = 0; i < sums.length; from += stride) {
        for (let band = 0; band < bands; band++) sums[i++]! += Math.imul(data[from + band]!, weight);
      }
    }
    const to = y * sums.length;
    for (let i = 0; i < sums.length; i++) target[to + i] = clip8(sums[i]!);
  }
  return target;
}
