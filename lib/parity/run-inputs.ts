/** Forward passes that are run only for their taps. */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";

/**
 * Runs the image tower, the text tower and, given both inputs, the similarity. Each tap is emitted once.
 *
 * @param pixels [B, 3, H, W], normalised; null skips the image tower
 * @param rows token ids, which run as one batch; null skips the text tower
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

/** Whether a tap belongs to the image tower. (The English models' text tower has no prefix to test for.) */
export function isImageTap(name: string): boolean {
  return /^(visual|image_features$)/.test(name);
}
