/** One forward pass of whatever inputs there are, for those who look at the taps alone. */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";

/**
 * Runs the image tower, the text tower, and, with both, the similarity. Each tap comes once.
 *
 * @param pixels [B, 3, H, W], normalised; null runs no image tower
 * @param rows token ids, which run as one batch; null runs no text tower
 * @throws InputError if the inputs do not fit the model
 */
export async function runInputs(
  model: Clip,
  pixels: Tensor4D | null,
  rows: readonly (readonly number[])[] | null,
): Promise<void> {
  const made: Tensor[] = [];
  const keep = <T extends Tensor>(value: T): T => {
    made.push(value);
    return value;
  };
  try {
    const images = pixels && keep(await model.encodeImage(pixels, { normalize: true }));
    const texts = rows && keep(await model.encodeTokens(rows, { normalize: true, batchSize: rows.length }));
    if (images && texts) keep(await model.logits(images, texts));
  } finally {
    for (const value of made) value.dispose();
  }
}

/** Whether a tap is of the image tower; the English models' text tower has no prefix of its own. */
export function isImageTap(name: string): boolean {
  return /^(visual|image_features$)/.test(name);
}
