/**
 * open_clip's training transform: a random crop, resized to the input size with bicubic interpolation.
 *
 * Source: torchvision, transforms/transforms.py (RandomResizedCrop); open_clip/transform.py, image_transform(is_train=True).
 */
import type { TorchRandom } from "../tensor/torch-random.ts";
import { toRgb, type DecodedImage, type Size } from "./image.ts";
import type { Window } from "./raster.ts";
import { crop, resize } from "./resize.ts";
import { roundHalfToEven, type PreprocessConfig } from "./transform.ts";

/** What share of an image a crop covers, and its shape. */
export interface CropRange {
  /** The smallest and largest share of the area. */
  readonly scale: readonly [least: number, most: number];
  /** The smallest and largest ratio of width to height. */
  readonly ratio: readonly [least: number, most: number];
}

/** torchvision's default for `ratio`, which open_clip keeps. */
export const usualRatio: CropRange["ratio"] = [3 / 4, 4 / 3];

const attempts = 10;

/** A random part of an image, with the numbers that torchvision draws; the middle if ten random ones do not fit. */
export function randomCrop(
  { width, height }: Size,
  { scale, ratio }: CropRange,
  random: TorchRandom,
): Window {
  const [leastLog, mostLog] = ratio.map((value) => Math.fround(Math.log(Math.fround(value)))) as [
    number,
    number,
  ];
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = width * height * random.uniformBetween(...scale);
    const aspect = Math.fround(Math.exp(random.uniformBetween(leastLog, mostLog)));
    const size = {
      width: roundHalfToEven(Math.sqrt(area * aspect)),
      height: roundHalfToEven(Math.sqrt(area / aspect)),
    };
    if (size.width < 1 || size.height < 1 || size.width > width || size.height > height) continue;
    const top = random.below(height - size.height + 1);
    return { ...size, top, left: random.below(width - size.width + 1) };
  }
  const [least, most] = [Math.min(...ratio), Math.max(...ratio)];
  const shape = width / height;
  const size = { width, height };
  if (shape < least) size.height = roundHalfToEven(width / least);
  else if (shape > most) size.width = roundHalfToEven(height * most);
  return { ...size, top: (height - size.height) >> 1, left: (width - size.width) >> 1 };
}

/**
 * A part of an image in the size of the image tower's input.
 *
 * @returns RGB [height, width, 3]
 */
export function resizeCrop(
  image: DecodedImage,
  window: Window,
  [height, width]: PreprocessConfig["size"],
): Uint8Array {
  const size = { width, height };
  return toRgb(resize(crop(image, window), size, "bicubic", { left: 0, top: 0, ...size }));
}
