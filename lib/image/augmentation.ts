/**
 * open_clip's augmentations of training images (`--aug-cfg`): the range of the crop, colour jitter, greyscale.
 *
 * Source: open_clip/transform.py (AugmentationCfg, color_jitter, gray_scale); torchvision, transforms/transforms.py
 * (ColorJitter.get_params).
 */
import type { PythonRandom } from "../tensor/python-random.ts";
import type { TorchRandom } from "../tensor/torch-random.ts";
import {
  changeBrightness,
  changeContrast,
  changeHue,
  changeSaturation,
  makeGrey,
  type ColourChange,
} from "./colour-changes.ts";

export interface Augmentation {
  /** The smallest and largest share of the area that a crop covers. */
  readonly scale: readonly [least: number, most: number];
  readonly colourJitter: ColourJitter | null;
  /** The probability of greyscale. */
  readonly greyProbability: number;
}

/** How far factors are from 1, and the hue from its place, in turns. */
export interface ColourJitter {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** At most 0.5. */
  readonly hue: number;
  readonly probability: number;
}

/** open_clip's default: crops alone. */
export const openClipAugmentation: Augmentation = { scale: [0.9, 1], colourJitter: null, greyProbability: 0 };

/** PyTorch draws crops and factors, Python decides whether colours are changed at all. */
export interface AugmentationRandom {
  readonly torch: TorchRandom;
  readonly python: PythonRandom;
}

/** Changes the colours of [pixels, 3] in place, with the numbers that torchvision draws. */
export function augmentColours(
  rgb: Uint8Array,
  { colourJitter, greyProbability }: Augmentation,
  { torch, python }: AugmentationRandom,
): void {
  if (colourJitter !== null && colourJitter.probability > 0 && python.unit() < colourJitter.probability) {
    jitterColours(rgb, colourJitter, torch);
  }
  if (greyProbability > 0 && python.unit() < greyProbability) makeGrey(rgb);
}

function jitterColours(
  rgb: Uint8Array,
  { brightness, contrast, saturation, hue }: ColourJitter,
  random: TorchRandom,
): void {
  const order = random.permutation(4);
  const factor = (range: number, centre: number): number | null => {
    if (range === 0) return null;
    const least = centre - range;
    return random.uniformBetween(centre === 0 ? least : Math.max(0, least), centre + range);
  };
  const changes: readonly (readonly [ColourChange, number | null])[] = [
    [changeBrightness, factor(brightness, 1)],
    [changeContrast, factor(contrast, 1)],
    [changeSaturation, factor(saturation, 1)],
    [changeHue, factor(hue, 0)],
  ];
  for (const i of order) {
    const [change, amount] = changes[i]!;
    if (amount !== null) change(rgb, amount);
  }
}
