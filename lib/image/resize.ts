/**
 * Pillow's `Image.resize`, with identical results.
 *
 * The resize is a separable convolution, a horizontal and then a vertical step. The kernel grows with the reduction, which
 * prevents aliasing. 8-bit samples are computed in fixed point with 22 fraction bits and clipped to 0…255 after each
 * step, 16-bit and 32-bit samples in double precision. Alpha is premultiplied. Bilevel and palette images take the
 * nearest pixel instead.
 *
 * Source: Pillow, src/libImaging/Resample.c (passes), Geometry.c (nearest), src/PIL/Image.py (rules by mode)
 */
import { premultiply, unpremultiply } from "./alpha.ts";
import { bandsOf, samplesLike, type DecodedImage, type Size } from "./image.ts";
import type { Samples } from "./samples.ts";

export type Interpolation = "bicubic" | "bilinear";

/** A part of an image, in pixels. */
export interface Window extends Size {
  readonly left: number;
  readonly top: number;
}

/** 32 bits minus 8 for the sample and 2 for the overshoot of the kernel. */
const fractionBits = 22;
const oneHalf = 1 << (fractionBits - 1);

interface Kernel {
  /** Half the kernel's width, in pixels of the larger of the two images. */
  readonly support: number;
  at(x: number): number;
}

const kernels: Readonly<Record<Interpolation, Kernel>> = {
  // Keys, Cubic Convolution Interpolation for Digital Image Processing (1981), with a = −0.5.
  bicubic: {
    support: 2,
    at(signed) {
      const a = -0.5;
      const x = Math.abs(signed);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
      return 0;
    },
  },
  bilinear: {
    support: 1,
    at(signed) {
      const x = Math.abs(signed);
      return x < 1 ? 1 - x : 0;
    },
  },
};

/** For each output position of a window of one axis: the range of its inputs and their weights. */
interface Coefficients {
  /** Items of `weights` per output position. */
  readonly taps: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float64Array;
}

/** @param begin the first output position of the window @param length of the window */
function coefficientsOf(
  from: number,
  to: number,
  kernel: Kernel,
  begin: number,
  length: number,
): Coefficients {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = kernel.support * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Float64Array(length * taps);
  const inverse = 1 / filterScale;
  for (let i = 0; i < length; i++) {
    const center = (begin + i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), from);
    let sum = 0;
    for (let x = 0; x < end - start; x++) {
      const weight = kernel.at((x + start - center + 0.5) * inverse);
      weights[i * taps + x] = weight;
      sum += weight;
    }
    if (sum !== 0) {
      for (let x = 0; x < end - start; x++) weights[i * taps + x]! /= sum;
    }
    first[i] = start;
    count[i] = end - start;
  }
  return { taps, first, count, weights };
}

/** Converts weights to fixed point, rounding halves away from zero. */
function fixedPoint(weights: Float64Array): Int32Array {
  const fixed = new Int32Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    const scaled = weights[i]! * (1 << fractionBits);
    fixed[i] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  }
  return fixed;
}

function clip8(sum: number): number {
  const value = sum >> fractionBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Samples regardless of their mode. */
interface Raster extends Size {
  readonly data: RasterSamples;
  readonly bands: number;
  readonly stride: number;
  /** For "I;16B", whose big-endian samples Pillow resizes as if they were little-endian. */
  readonly swapped: boolean;
}

type RasterSamples = Exclude<Samples, Uint8ClampedArray>;

/** Resizes the window's rows to `width` columns and returns the window's columns. */
function resizeHorizontally(raster: Raster, width: number, kernel: Kernel, window: Window): Raster {
  const coefficients = coefficientsOf(raster.width, width, kernel, window.left, window.width);
  const length = window.width * window.height * raster.bands;
  const out = { ...raster, width: window.width, height: window.height, stride: raster.bands };
  if (!(raster.data instanceof Uint8Array)) {
    const data = samplesLike(raster.data, length);
    preciseHorizontal(raster, coefficients, window, data);
    return { ...out, data };
  }
  const data = new Uint8Array(length);
  const weights = fixedPoint(coefficients.weights);
  const pass = raster.bands === 3 ? horizontal3 : raster.bands === 4 ? horizontal4 : horizontalN;
  pass(raster, raster.data, { ...coefficients, weights }, window, data);
  return { ...out, data };
}

interface FixedCoefficients extends Omit<Coefficients, "weights"> {
  readonly weights: Int32Array;
}

/**
 * Three bands, two rows at a time. Most photographs take this path, so the loop is unrolled. A single last row is computed
 * and written twice.
 */
function horizontal3(
  { width, stride }: Raster,
  source: Uint8Array,
  { taps, first, count, weights }: FixedCoefficients,
  window: Window,
  target: Uint8Array,
): void {
  const bottom = window.top + window.height;
  for (let y = window.top; y < bottom; y += 2) {
    const row = y * width * stride;
    const single = y + 1 === bottom;
    const below = single ? 0 : width * stride;
    let to = (y - window.top) * window.width * 3;
    const toBelow = single ? 0 : window.width * 3;
    for (let x = 0; x < window.width; x++, to += 3) {
      let from = row + first[x]! * stride;
      const start = x * taps;
      const end = start + count[x]!;
      let red = oneHalf;
      let green = oneHalf;
      let blue = oneHalf;
      let redBelow = oneHalf;
      let greenBelow = oneHalf;
      let blueBelow = oneHalf;
      for (let k = start; k < end; k++, from += stride) {
        const weight = weights[k]!;
        const next = from + below;
        red = (red + Math.imul(source[from]!, weight)) | 0;
        green = (green + Math.imul(source[from + 1]!, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2]!, weight)) | 0;
        redBelow = (redBelow + Math.imul(source[next]!, weight)) | 0;
        greenBelow = (greenBelow + Math.imul(source[next + 1]!, weight)) | 0;
        blueBelow = (blueBelow + Math.imul(source[next + 2]!, weight)) | 0;
      }
      target[to] = clip8(red);
      target[to + 1] = clip8(green);
      target[to + 2] = clip8(blue);
      target[to + toBelow] = clip8(redBelow);
      target[to + toBelow + 1] = clip8(greenBelow);
      target[to + toBelow + 2] = clip8(blueBelow);
    }
  }
}

/** Four bands: colours with alpha, or four inks. */
function horizontal4(
  { width, stride }: Raster,
  source: Uint8Array,
  { taps, first, count, weights }: FixedCoefficients,
  window: Window,
  target: Uint8Array,
): void {
  let to = 0;
  for (let y = window.top; y < window.top + window.height; y++) {
    const row = y * width * stride;
    for (let x = 0; x < window.width; x++, to += 4) {
      let from = row + first[x]! * stride;
      const start = x * taps;
      const end = start + count[x]!;
      let sum0 = oneHalf;
      let sum1 = oneHalf;
      let sum2 = oneHalf;
      let sum3 = oneHalf;
      for (let k = start; k < end; k++, from += stride) {
        const weight = weights[k]!;
        sum0 = (sum0 + Math.imul(source[from]!, weight)) | 0;
        sum1 = (sum1 + Math.imul(source[from + 1]!, weight)) | 0;
        sum2 = (sum2 + Math.imul(source[from + 2]!, weight)) | 0;
        sum3 = (sum3 + Math.imul(source[from + 3]!, weight)) | 0;
      }
      target[to] = clip8(sum0);
      target[to + 1] = clip8(sum1);
      target[to + 2] = clip8(sum2);
      target[to + 3] = clip8(sum3);
    }
  }
}

function horizontalN(
  { width, stride, bands }: Raster,
  source: Uint8Array,
  { taps, first, count, weights }: FixedCoefficients,
  window: Window,
  target: Uint8Array,
): void {
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
          sum = (sum + Math.imul(source[from]!, weights[k]!)) | 0;
        }
        target[to++] = clip8(sum);
      }
    }
  }
}

/**
 * Resizes the columns and returns the window's rows.
 *
 * @param coefficients of the window's rows
 * @param height of the window
 * @param firstRow the row of the whole image at which `raster` starts
 */
function resizeVertically(
  raster: Raster,
  coefficients: Coefficients,
  height: number,
  firstRow: number,
): Raster {
  const { width, bands, stride } = raster;
  const out = { ...raster, height, stride: bands };
  const length = width * bands * height;
  if (!(raster.data instanceof Uint8Array)) {
    const data = samplesLike(raster.data, length);
    preciseVertical(raster, coefficients, height, firstRow, data);
    return { ...out, data };
  }
  const source = raster.data;
  const data = new Uint8Array(length);
  const weights = fixedPoint(coefficients.weights);
  const sums = new Int32Array(width * bands);
  for (let y = 0; y < height; y++) {
    sums.fill(oneHalf);
    for (let k = 0; k < coefficients.count[y]!; k++) {
      const weight = weights[y * coefficients.taps + k]!;
      let from = (coefficients.first[y]! - firstRow + k) * width * stride;
      if (stride === bands) {
        for (let i = 0; i < sums.length; i++) sums[i]! += Math.imul(source[from++]!, weight);
        continue;
      }
      for (let i = 0; i < sums.length; from += stride) {
        for (let band = 0; band < bands; band++) sums[i++]! += Math.imul(source[from + band]!, weight);
      }
    }
    const to = y * sums.length;
    for (let i = 0; i < sums.length; i++) data[to + i] = clip8(sums[i]!);
  }
  return { ...out, data };
}

function swapBytes(value: number): number {
  return ((value & 0xff) << 8) | (value >> 8);
}

/** Stores a sum in double precision as a sample. */
function storePrecise(target: Samples, at: number, sum: number, swapped: boolean): void {
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

function preciseHorizontal(
  raster: Raster,
  coefficients: Coefficients,
  window: Window,
  target: Samples,
): void {
  const { data, width, swapped } = raster;
  const { taps, first, count, weights } = coefficients;
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
}

function preciseVertical(
  raster: Raster,
  coefficients: Coefficients,
  height: number,
  firstRow: number,
  target: Samples,
): void {
  const { data, width, swapped } = raster;
  const { taps, first, count, weights } = coefficients;
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let from = (first[y]! - firstRow) * width + x;
      let sum = 0;
      for (let k = 0; k < count[y]!; k++, from += width) {
        const value = data[from]!;
        sum += (swapped ? swapBytes(value) : value) * weights[y * taps + k]!;
      }
      storePrecise(target, to++, sum, swapped);
    }
  }
}

function resample(raster: Raster, size: Size, kernel: Kernel, window: Window): Raster {
  const vertical = coefficientsOf(raster.height, size.height, kernel, window.top, window.height);
  // Very tall images are resized vertically first.
  if (raster.height > raster.width * 100 && size.height < raster.height) {
    const short = resizeVertically(raster, vertical, window.height, 0);
    return resizeOrCropColumns(short, size.width, kernel, { ...window, top: 0 });
  }
  if (size.height === raster.height) return resizeOrCropColumns(raster, size.width, kernel, window);
  // Only the rows that the vertical step reads.
  const last = window.height - 1;
  const top = vertical.first[0]!;
  const height = vertical.first[last]! + vertical.count[last]! - top;
  const narrowed = resizeOrCropColumns(raster, size.width, kernel, { ...window, top, height });
  return resizeVertically(narrowed, vertical, window.height, top);
}

/** Resizes horizontally, or only crops if the width does not change. */
function resizeOrCropColumns(raster: Raster, width: number, kernel: Kernel, window: Window): Raster {
  return width === raster.width
    ? cutRaster(raster, window)
    : resizeHorizontally(raster, width, kernel, window);
}

function cutRaster(raster: Raster, window: Window): Raster {
  const { data, stride } = raster;
  const rowLength = window.width * stride;
  const cut = samplesLike(data, rowLength * window.height);
  for (let y = 0; y < window.height; y++) {
    const from = ((y + window.top) * raster.width + window.left) * stride;
    cut.set(data.subarray(from, from + rowLength), y * rowLength);
  }
  return { ...raster, width: window.width, height: window.height, data: cut };
}

/**
 * The input position of each output position of a window. Steps are added one by one, because their rounding affects
 * the result.
 */
function nearestPositions(from: number, to: number, begin: number, length: number): Int32Array {
  const positions = new Int32Array(length);
  const step = from / to;
  let position = step * 0.5;
  for (let i = 0; i < begin; i++) position += step;
  for (let i = 0; i < length; i++, position += step) positions[i] = Math.min(Math.trunc(position), from - 1);
  return positions;
}

function nearest(raster: Raster, size: Size, window: Window): Raster {
  const columns = nearestPositions(raster.width, size.width, window.left, window.width);
  const rows = nearestPositions(raster.height, size.height, window.top, window.height);
  const { data, stride } = raster;
  const cut = samplesLike(data, window.width * window.height * stride);
  let to = 0;
  for (let y = 0; y < window.height; y++) {
    const row = rows[y]! * raster.width;
    for (let x = 0; x < window.width; x++) {
      const from = (row + columns[x]!) * stride;
      for (let band = 0; band < stride; band++) cut[to++] = data[from + band]!;
    }
  }
  return { ...raster, width: window.width, height: window.height, data: cut };
}

/** Crops an image. */
export function crop(image: DecodedImage, window: Window): DecodedImage {
  const { width, height, data } = cutRaster(rasterOf(image), window);
  return { ...image, width, height, data };
}

function rasterOf(image: DecodedImage): Raster {
  const { width, height, stride, mode, data } = image;
  const samples =
    data instanceof Uint8ClampedArray ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data;
  return { width, height, stride, data: samples, bands: bandsOf(mode), swapped: mode === "I;16B" };
}

/**
 * `image.resize((width, height), filter).crop(window)`, without computing pixels outside the window.
 *
 * @param size the new size of the whole image, in pixels
 * @param window the part to return, within `size`
 * @returns the window's pixels in the image's mode
 */
export function resize(image: DecodedImage, size: Size, filter: Interpolation, window: Window): DecodedImage {
  const { mode } = image;
  if (size.width === image.width && size.height === image.height) return crop(image, window);
  let raster = rasterOf(image);
  if (mode === "1" || mode === "P") {
    raster = nearest(raster, size, window);
  } else if (mode === "LA" || mode === "RGBA") {
    const premultiplied = { ...raster, data: premultiply(raster.data, raster.stride) };
    raster = resample(premultiplied, size, kernels[filter], window);
    unpremultiply(raster.data, raster.stride, "kept");
  } else {
    raster = resample(raster, size, kernels[filter], window);
  }
  const { width, height, data, stride } = raster;
  return { ...image, width, height, data, stride };
}
