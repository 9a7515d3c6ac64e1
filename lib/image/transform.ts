/**
 * open_clip's evaluation transform: resize, centre crop or pad, convert to RGB, scale to 0…1, normalise.
 *
 * Source: open_clip, src/open_clip/transform.py, image_transform(is_train=False); torchvision,
 * transforms/functional.py, resize, center_crop, to_tensor, normalize
 */
import { paste, samplesLike, toRgb, type DecodedImage, type Size } from "./image.ts";
import type { Window } from "./raster.ts";
import { resize } from "./resize.ts";
import { wasmLookUp } from "./simd.ts";
import type { Interpolation } from "./resize-weights.ts";

/** How an image becomes the network's input. */
export interface PreprocessConfig {
  /** In pixels. */
  readonly size: readonly [height: number, width: number];
  /** Per channel (R, G, B), of values in 0…1. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly interpolation: Interpolation;
  /**
   * "shortest": the shorter edge is resized to `size`, then the centre is cropped. "longest": the longer edge is resized
   * to `size`, then the rest is padded. "squash": both edges are resized to `size`, whatever the aspect ratio.
   */
  readonly resizeMode: "shortest" | "longest" | "squash";
  /** The padding's value for "longest", 0 to 255. */
  readonly fillColor: number;
}

/** Rounds like Python's `round`: a half goes to the even neighbour. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function resizedSize(image: Size, config: PreprocessConfig): Size {
  const [height, width] = config.size;
  if (config.resizeMode === "squash") return { width, height };
  if (config.resizeMode === "shortest" && width === height) {
    // torchvision's Resize: the longer edge is truncated.
    const [short, long] =
      image.width <= image.height ? [image.width, image.height] : [image.height, image.width];
    const longer = Math.trunc((width * long) / short);
    return image.width <= image.height ? { width, height: longer } : { width: longer, height };
  }
  // open_clip's ResizeKeepRatio: both edges are rounded.
  const [ratioHeight, ratioWidth] = [image.height / height, image.width / width];
  const ratio =
    config.resizeMode === "longest" ? Math.max(ratioHeight, ratioWidth) : Math.min(ratioHeight, ratioWidth);
  return { width: roundHalfToEven(image.width / ratio), height: roundHalfToEven(image.height / ratio) };
}

/** One axis of the centre crop: start in the resized image, start in the output, and length. */
function centre(from: number, to: number): { source: number; target: number; length: number } {
  if (from < to) return { source: 0, target: (to - from) >> 1, length: from };
  return { source: roundHalfToEven((from - to) / 2), target: 0, length: to };
}

/** An edge of the resized image would have no pixels, or more than {@link longestEdge}. */
export class AspectRatioError extends Error {}

/** Of a resized image, before it is cropped. Pillow would need 15 GB for one with this edge. */
const longestEdge = 2 ** 24;

/** @throws AspectRatioError if an image cannot be resized to this size */
export function assertResizable(image: Size, size: Size): void {
  if (Math.min(size.width, size.height) > 0 && Math.max(size.width, size.height) <= longestEdge) return;
  throw new AspectRatioError(
    `${image.width} x ${image.height} pixels, which would be resized to ${size.width} x ${size.height}`,
  );
}

/**
 * The transform up to the 8-bit pixels: resize, crop or pad, convert to RGB.
 *
 * @returns [height, width, 3], 0 to 255
 * @throws AspectRatioError
 */
export function transformPixels(image: DecodedImage, config: PreprocessConfig): Uint8Array {
  const [height, width] = config.size;
  const size = resizedSize(image, config);
  assertResizable(image, size);
  const column = centre(size.width, width);
  const row = centre(size.height, height);
  const window: Window = { left: column.source, top: row.source, width: column.length, height: row.length };
  // ResizeKeepRatio is built without the interpolation for "shortest", so oblong inputs are always bicubic.
  const filter: Interpolation =
    config.resizeMode === "shortest" && width !== height ? "bicubic" : config.interpolation;
  const rgb = toRgb(resize(image, size, filter, window));
  if (window.width === width && window.height === height) return rgb;

  const padded = new Uint8Array(height * width * 3);
  const fill = fillRgb(image, config.fillColor);
  for (let at = 0; at < padded.length; at += 3) padded.set(fill, at);
  paste(rgb, window, padded, width, column.target, row.target, 3);
  return padded;
}

/** The colour of the padding. open_clip pads in the image's own mode: the value is an index in a palette, an ink in CMYK. */
function fillRgb(image: DecodedImage, fillColor: number): Uint8Array {
  const data = samplesLike(image.data, image.stride).fill(fillColor);
  return toRgb({ ...image, width: 1, height: 1, data });
}

/**
 * Transforms a decoded image to the image tower's input, bit for bit as open_clip's evaluation transform does.
 *
 * @returns float32 [3, height, width]: (x / 255 − mean) / std, each step rounded to float32
 * @throws AspectRatioError
 */
export function transform(image: DecodedImage, config: PreprocessConfig): Float32Array {
  return normalisePixels(transformPixels(image, config), config);
}

/** (x / 255 − mean) / std of 8-bit pixels [height, width, 3]. @returns float32 [3, height, width] */
export function normalisePixels(
  rgb: Uint8Array,
  config: Pick<PreprocessConfig, "mean" | "std">,
): Float32Array {
  const tables = new Float32Array(3 * 256);
  for (const [channel, mean] of config.mean.entries()) {
    const std = Math.fround(config.std[channel]!);
    for (let level = 0; level < 256; level++) {
      const centred = Math.fround(Math.fround(level / 255) - Math.fround(mean));
      tables[256 * channel + level] = centred / std;
    }
  }
  return wasmLookUp(rgb, tables) ?? plainLookUp(rgb, tables);
}

/** As `wasmLookUp`, on every host. */
export function plainLookUp(rgb: Uint8Array, tables: Float32Array): Float32Array {
  const pixels = rgb.length / 3;
  const out = new Float32Array(rgb.length);
  for (let channel = 0; channel < 3; channel++) {
    const [table, start] = [tables.subarray(256 * channel), channel * pixels];
    for (let i = 0; i < pixels; i++) out[start + i] = table[rgb[i * 3 + channel]!]!;
  }
  return out;
}
