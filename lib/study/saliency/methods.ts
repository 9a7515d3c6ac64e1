/** The methods by name, with one set of options: for programs that let a user choose. */
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { gradientTimesInput, integratedGradients } from "./gradient.ts";
import type { SaliencyMap } from "./map.ts";
import { occlusion } from "./occlusion.ts";
import { imageRelevance } from "./relevance.ts";

/** The names of the methods that explain an image's score. */
export const saliencyMethods = ["gradient", "integrated", "relevance", "occlusion"] as const;
/** The name of a method. */
export type SaliencyMethod = (typeof saliencyMethods)[number];

/** Options of all methods. Each uses its own. */
export interface SaliencyOptions {
  /** Of `relevance`: the first layer that counts. Default: 0. */
  readonly startLayer?: number;
  /** Of `integrated`. */
  readonly steps?: number;
  /** Of `occlusion`, in pixels. */
  readonly window?: number;
  /** Of `occlusion`, in pixels. */
  readonly stride?: number;
  readonly signal?: AbortSignal;
  /** Steps done, of `integrated` and `occlusion`. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Explains the score of an image by one method.
 *
 * @param pixels [1, 3, H, W], preprocessed
 * @param direction see `labelDirection`
 * @throws InputError for a start layer that the tower does not have, and as the method
 */
export async function explainImage(
  model: Clip,
  pixels: Tensor4D,
  direction: Tensor2D,
  method: SaliencyMethod,
  { startLayer = 0, ...options }: SaliencyOptions = {},
): Promise<{ readonly score: number; readonly map: SaliencyMap }> {
  const { signal, onProgress, steps, window, stride } = options;
  const watched = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
  switch (method) {
    case "gradient":
      return gradientTimesInput(model, pixels, direction, { signal });
    case "integrated":
      return integratedGradients(model, pixels, direction, { ...watched, ...(steps && { steps }) });
    case "occlusion":
      return occlusion(model, pixels, direction, {
        ...watched,
        ...(window && { window }),
        ...(stride && { stride }),
      });
    case "relevance": {
      const { layers } = model.config.vision;
      if (startLayer >= layers) {
        throw new InputError(`layer ${startLayer}: the image tower has the layers 0 to ${layers - 1}`);
      }
      const { score, maps } = await imageRelevance(model, pixels, direction, { signal });
      return { score, map: maps[startLayer]! };
    }
  }
}
