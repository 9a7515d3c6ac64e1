/** A tiny model with the saliency that PyTorch computed for one image and one text (tools/golden/saliency.py). */
import { mul, tensor4d, tidy, type Tensor2D, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import type { Golden } from "../../lib/parity/golden.ts";
import { scoresOf } from "../../lib/study/saliency/direction.ts";
import { loadTiny, openGolden } from "./golden.ts";
import { fixture } from "./paths.ts";

export interface SaliencyGolden {
  readonly model: Clip;
  readonly golden: Golden;
  readonly pixels: Tensor4D;
  readonly row: readonly number[];
  /** The normalised embedding of the text. */
  readonly ofText: Tensor2D;
  /** The normalised embedding of the image. */
  readonly ofImage: Tensor2D;
  readonly close: () => Promise<void>;
}

export const saliencyModels = ["gelu-mlp", "quickgelu-linear", "plain"];

export async function openSaliencyGolden(name: string): Promise<SaliencyGolden> {
  const golden = await openGolden(fixture(`tiny/${name}/saliency.safetensors`));
  const model = await loadTiny(name, "streamed");
  const pixels = golden.readImage()!;
  const row = golden.text![0]!;
  const ofText = await model.encodeTokens([row], { normalize: true });
  const ofImage = await model.encodeImage(pixels, { normalize: true });
  const close = async (): Promise<void> => {
    for (const tensor of [pixels, ofText, ofImage]) tensor.dispose();
    await model.dispose();
    await golden.close();
  };
  return { model, golden, pixels, row, ofText, ofImage, close };
}

/** The similarity of the text and the image, of which only some pixels are visible; the others are 0. */
export async function scoreUnder(
  { model, pixels, ofText }: SaliencyGolden,
  visible: (y: number, x: number) => boolean,
): Promise<number> {
  const [, , height, width] = pixels.shape;
  const mask = Float32Array.from({ length: height * width }, (_, i) =>
    visible(Math.floor(i / width), i % width) ? 1 : 0,
  );
  const covered = tidy(() => mul<Tensor4D>(pixels, tensor4d(mask, [1, 1, height, width])));
  const [score = NaN] = await scoresOf(model.encodeImage(covered, { normalize: true }), ofText);
  covered.dispose();
  return score;
}
