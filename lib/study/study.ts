/** Figures of the image tower's attention, weights and intermediate answers, from one forward pass. */
import { tensor3d, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { l2Normalize } from "../clip/normalize.ts";
import type { PreprocessConfig } from "../image/transform.ts";
import { disposing } from "../tensor/disposing.ts";
import type { ZeroShotClassifier } from "../tasks/zero-shot.ts";
import { InputError } from "../errors/input-error.ts";
import { withWeights } from "../nn/tower.ts";
import { readTap, withTaps } from "../tensor/taps.ts";
import { classAttention, overlay, Rollout, type Attention } from "./attention.ts";
import { grid, heat, Raster } from "../draw/raster.ts";
import { enlargedToShow, pixelsRaster } from "./pixels-raster.ts";
import { patchFilters, positionSimilarity } from "./weights.ts";

/** Options of `studyImage`. */
export interface StudyOptions {
  /** The layer whose attention is shown. Default: the last. */
  readonly layer?: number;
  /** The head that is shown. Default: all heads, side by side. */
  readonly head?: number;
  /** Classifies the class token after each layer. */
  readonly classifier?: ZeroShotClassifier;
}

/** The result of `studyImage`. */
export interface Study {
  /** By file name without extension. */
  readonly pictures: ReadonlyMap<string, Raster>;
  /** Probability of each class after each layer, [layers][classes]; null without a classifier. */
  readonly answers: readonly (readonly number[])[] | null;
}

/**
 * Runs the image tower once and draws:
 * - `attention-layer-I[-head-H]`: the class token's attention in one layer over the image, one image per head;
 * - `attention-rollout`: the image, and how much of each patch has reached the class token at the end;
 * - `patch-filters`, `position-similarity`: see weights.ts;
 * - `layer-answers`: given a classifier, the probability of each class (row) after each layer (column).
 *
 * @param pixels [1, 3, H, W], preprocessed
 * @throws InputError for a layer or a head that the model does not have
 */
export async function studyImage(model: Clip, pixels: Tensor4D, options: StudyOptions = {}): Promise<Study> {
  const { heads, layers, imageSize, patchSize } = model.config.vision;
  const { layer = layers - 1, head, classifier } = options;
  if (layer >= layers)
    throw new InputError(`layer ${layer}: the image tower has the layers 0 to ${layers - 1}`);
  if (head !== undefined && head >= heads) {
    throw new InputError(`head ${head}: a layer of the image tower has the heads 0 to ${heads - 1}`);
  }
  const patches = [0, 1].map((axis) => Math.floor(imageSize[axis]! / patchSize[axis]!)) as [number, number];

  const rollout = new Rollout();
  const classTokens: Float32Array[] = [];
  let shown: Attention | null = null;
  const sink = async (name: string, value: Tensor): Promise<void> => {
    const [, block, what = ""] =
      /^visual\.transformer\.resblocks\.(\d+)(\.attn#probabilities)?$/.exec(name) ?? [];
    if (block === undefined) return;
    const values = await readTap(value);
    if (what === "") {
      classTokens[Number(block)] = values.slice(0, value.shape[2]); // [1, L, width]
    } else {
      const attention = { values: Float32Array.from(values), heads, length: value.shape[2]! }; // [1, heads, L, L]
      rollout.add(attention);
      if (Number(block) === layer) shown = attention;
    }
  };
  const features = await withTaps(sink, () => model.encodeImage(pixels));
  features.dispose();

  const picture = await shownImage(pixels, model.preprocess);
  const over = (weights: ArrayLike<number>): Raster => overlay(picture, weights, patches);
  const chosen = head === undefined ? Array.from({ length: heads }, (_, i) => i) : [head];
  const ofHeads = chosen.map((h) => over(classAttention(shown!, h)));
  const pictures = new Map([
    [
      `attention-layer-${layer}${head === undefined ? "" : `-head-${head}`}`,
      head === undefined
        ? grid([picture, over(classAttention(shown!, null)), ...ofHeads], 2 + Math.min(heads, 4))
        : grid([picture, ...ofHeads], 2),
    ],
    ["attention-rollout", grid([picture, over(rollout.classToken())], 2)],
    ["patch-filters", await patchFilters(model.visual)],
    ["position-similarity", await positionSimilarity(model.visual, patches)],
  ]);
  const answers = classifier ? await layerAnswers(model, classTokens, classifier) : null;
  if (answers) pictures.set("layer-answers", answersPicture(answers));
  return { pictures, answers };
}

/** The class token after each layer, read out as if no layer followed. */
async function layerAnswers(
  { visual }: Clip,
  classTokens: readonly Float32Array[],
  classifier: ZeroShotClassifier,
): Promise<number[][]> {
  const tokens = tensor3d(classTokens.map((token) => [Array.from(token)])); // [layers, 1, width]: images of one token
  const embedded = await disposing(tokens, (x) =>
    withWeights(visual.readOutWeights, () => visual.readOut(x)),
  ); // [layers, embedDim]
  const normalised = await disposing(embedded, l2Normalize);
  const probabilities = await disposing(normalised, (x) => classifier.probabilities(x)); // [layers, classes]
  return disposing(probabilities, (x) => x.array());
}

function answersPicture(answers: readonly (readonly number[])[]): Raster {
  const [layers, classes] = [answers.length, answers[0]!.length];
  return new Raster(layers, classes).paint((x, y) => heat(answers[x]![y]!)).enlarged(24);
}

/** The image as the network receives it, enlarged for display. */
async function shownImage(pixels: Tensor4D, preprocess: PreprocessConfig): Promise<Raster> {
  const [, , height, width] = pixels.shape;
  return enlargedToShow(pixelsRaster(await pixels.data<"float32">(), [height, width], preprocess));
}
