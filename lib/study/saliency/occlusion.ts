/**
 * Occlusion: covers a window of the image with the mean colour, and measures how much the score drops.
 *
 * It asks the model itself, without gradients; but a covered window is an unusual image, and a thing that is there twice
 * is not missed when one is covered. Paper: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", 2014
 * (arXiv 1311.2901), section 4.2.
 */
import { mul, tensor4d, tidy, type Tensor2D, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { assertWhole } from "../../errors/arguments.ts";
import { InputError } from "../../errors/input-error.ts";
import { scoresOf } from "./direction.ts";
import type { SaliencyMap } from "./map.ts";
import { assertOneImage } from "./one-image.ts";

/** Options of `occlusion`. */
export interface OcclusionOptions {
  /** Side of the square window, in pixels. Default: two patches. */
  readonly window?: number;
  /** Pixels from one window to the next. Default: half a window. The last window of a row ends at the edge. */
  readonly stride?: number;
  /** Windows that run together. Default: 8. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called after each batch, with the map so far. */
  readonly onProgress?: (done: number, total: number, map: SaliencyMap) => void;
}

/** The result of `occlusion`. */
export interface Occlusion {
  /** î · direction of the whole image */
  readonly score: number;
  /** For each pixel, the mean drop of the score over the windows that cover it; 0 where no window has run yet. */
  readonly map: SaliencyMap;
}

/** How many windows an occlusion runs: passes of one image each. */
export function occlusionWindows(
  [height, width]: readonly [number, number],
  window: number,
  stride: number,
): [top: number, left: number][] {
  const along = (size: number): number[] => {
    const steps = Math.ceil((size - window) / stride);
    return Array.from({ length: steps + 1 }, (_, i) => Math.min(i * stride, size - window));
  };
  return along(height).flatMap((top) => along(width).map((left): [number, number] => [top, left]));
}

/**
 * Covers one window after the other.
 *
 * @param pixels [1, 3, H, W], preprocessed
 * @param direction see `labelDirection`
 * @throws InputError for a window that is larger than the image, and as `encodeImage`; the signal's reason if it is
 *   aborted
 */
export async function occlusion(
  model: Clip,
  pixels: Tensor4D,
  direction: Tensor2D,
  options: OcclusionOptions = {},
): Promise<Occlusion> {
  assertOneImage(pixels, "occlusion");
  const { imageSize, patchSize } = model.config.vision;
  const { window = 2 * patchSize[0], batchSize = 8, signal, onProgress } = options;
  assertWhole(window, 1, "occlusion: window");
  const { stride = Math.max(1, Math.floor(window / 2)) } = options;
  assertWhole(stride, 1, "occlusion: stride");
  assertWhole(batchSize, 1, "occlusion: batchSize");
  const [height, width] = imageSize;
  if (window > Math.min(height, width)) {
    throw new InputError(
      `occlusion: window: expected at most ${Math.min(height, width)} pixels, the image's side, found ${window}`,
    );
  }
  const windows = occlusionWindows(imageSize, window, stride);
  const encode = (batch: Tensor4D): Promise<Float32Array> =>
    scoresOf(model.encodeImage(batch, { normalize: true, signal }), direction);
  const [score = NaN] = await encode(pixels);
  const [drops, counts] = [new Float64Array(height * width), new Float64Array(height * width)];
  const mapSoFar = (): SaliencyMap => ({
    rows: height,
    columns: width,
    values: Float32Array.from(drops, (drop, i) => (counts[i] === 0 ? 0 : drop / counts[i]!)),
    quantity: "drop of the cosine similarity when covered",
    isSigned: true,
  });
  for (let start = 0; start < windows.length; start += batchSize) {
    const covered = windows.slice(start, start + batchSize);
    const batch = tidy(() => mul<Tensor4D>(pixels, masks(covered, imageSize, window)));
    const scores = await encode(batch).finally(() => {
      batch.dispose();
    });
    for (const [i, [top, left]] of covered.entries()) {
      forEachPixel(top, left, window, width, (at) => {
        drops[at]! += score - scores[i]!;
        counts[at]!++;
      });
    }
    onProgress?.(start + covered.length, windows.length, mapSoFar());
  }
  return { score, map: mapSoFar() };
}

/** 0 inside each window, 1 outside. [windows, 1, H, W] */
function masks(
  windows: readonly (readonly [number, number])[],
  [height, width]: readonly [number, number],
  window: number,
): Tensor4D {
  const values = new Float32Array(windows.length * height * width).fill(1);
  for (const [i, [top, left]] of windows.entries()) {
    forEachPixel(top, left, window, width, (at) => (values[i * height * width + at] = 0));
  }
  return tensor4d(values, [windows.length, 1, height, width]);
}

function forEachPixel(
  top: number,
  left: number,
  window: number,
  width: number,
  visit: (at: number) => void,
): void {
  for (let y = top; y < top + window; y++) {
    for (let x = left; x < left + window; x++) visit(y * width + x);
  }
}
