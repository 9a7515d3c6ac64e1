/** The two steps of a resize for samples of 16 and 32 bits, in double precision. Their images have one band. */
import { samplesLike } from "./image.ts";
import type { Raster, Window } from "./raster.ts";
import type { Coefficients } from "./resize-weights.ts";

type PreciseSamples = Uint16Array | Int32Array | Float32Array;
type PreciseRaster = Raster<PreciseSamples>;

function swapBytes(value: number): number {
  return ((value & 0xff) << 8) | (value >> 8);
}

/** Stores a sum in double precision as a sample. */
function storePrecise(target: PreciseSamples, at: number, sum: number, swapped: boolean): void {
  if (target instanceof Float32Array) {
    target[at] = sum;
    return;
  }
  const rounded = Math.trunc(sum >= 0 ? sum + 0.5 : sum - 0.5);
  if (target instanceof Int32Array) {
    target[at] = rounded;
    return;
  }
  const value = Math.min(Math.max(rounded, 0), 0xffff);
  target[at] = swapped ? swapBytes(value) : value;
}

/** The columns of a window, of one-band rows. @returns [window.height, window.width] */
export function preciseHorizontal(
  { data, width, swapped }: PreciseRaster,
  { taps, first, count, weights }: Coefficients,
  window: Window,
): PreciseSamples {
  const target = samplesLike(data, window.width * window.height) as PreciseSamples;
  let to = 0;
  for (let y = window.top; y < window.top + window.height; y++) {
    for (let x = 0; x < window.width; x++) {
      const from = y * width + first[x]!;
      let sum = 0;
      for (let k = 0; k < count[x]!; k++) {
        const value = data[from + k]!;
        sum += (swapped ? swapBytes(value) : value) * weights[x * taps + k]!;
      }
      storePrecise(target, to++, sum, swapped);
    }
  }
  return target;
}

/** `height` rows, of one band. @returns [height, width] */
export function preciseVertical(
  { data, width, swapped }: PreciseRaster,
  { taps, first, count, weights }: Coefficients,
  height: number,
): PreciseSamples {
  const target = samplesLike(data, width * height) as PreciseSamples;
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let from = first[y]! * width + x;
      let sum = 0;
      for (let k = 0; k < count[y]!; k++, from += width) {
        const value = data[from]!;
        sum += (swapped ? swapBytes(value) : value) * weights[y * taps + k]!;
      }
      storePrecise(target, to++, sum, swapped);
    }
  }
  return target;
}
