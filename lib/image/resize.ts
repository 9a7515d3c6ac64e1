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
import type { Raster, Window } from "./raster.ts";
import { fixedHorizontal, fixedVertical } from "./resize-fixed.ts";
import { preciseHorizontal, preciseVertical } from "./resize-precise.ts";
import {
  coefficientsOf,
  fixedPoint,
  kernels,
  type Coefficients,
  type FixedCoefficients,
  type Interpolation,
  type Kernel,
} from "./resize-weights.ts";

/** Resizes the window's rows to `width` columns and returns the window's columns. */
function resizeHorizontally(raster: Raster, width: number, kernel: Kernel, window: Window): Raster {
  const coefficients = coefficientsOf(raster.width, width, kernel, window.left, window.width);
  const { data } = raster;
  const resized =
    data instanceof Uint8Array
      ? fixedHorizontal({ ...raster, data }, inFixedPoint(coefficients), window)
      : preciseHorizontal({ ...raster, data }, coefficients, window);
  return { ...raster, width: window.width, height: window.height, stride: raster.bands, data: resized };
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
  const { data } = raster;
  const moved = { ...coefficients, first: coefficients.first.map((row) => row - firstRow) };
  const resized =
    data instanceof Uint8Array
      ? fixedVertical({ ...raster, data }, inFixedPoint(moved), height)
      : preciseVertical({ ...raster, data }, moved, height);
  return { ...raster, height, stride: raster.bands, data: resized };
}

function inFixedPoint({ weights, ...ranges }: Coefficients): FixedCoefficients {
  return { ...ranges, weights: fixedPoint(weights) };
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
