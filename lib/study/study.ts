/** Pictures of what the image tower makes of an image, from one forward pass. */
import { tensor3d, type Tensor4D } from "@tensorflow/tfjs-core";
import { l2Normalize, type Clip } from "../clip/clip.ts";
import type { PreprocessConfig } from "../clip/config/preprocess-config.ts";
import { disposing } from "../nn/module.ts";
import type { ZeroShotClassifier } from "../tasks/zero-shot.ts";
import { InputError } from "../errors/input-error.ts";
import { withTaps } from "../tensor/taps.ts";
import { classAttention, overlay, Rollout, type Attention } from "./attention.ts";
import { grid, heat, Raster } from "../draw/raster.ts";
import { patchFilters, positionSimilarity } from "./weights.ts";

export interface StudyOptions {
  /** Whose attention is shown. Default: the last. */
  readonly layer?: number;
  /** Default: all heads, side by side. */
  readonly head?: number;
  /** Asked after each layer. */
  readonly classifier?: ZeroShotClassifier;
}

export interface Study {
  /** By file name without its ending. */
  readonly pictures: ReadonlyMap<string, Raster>;
  /** Probability of each class after each layer, [layers][classes]; null without a classifier. */
  readonly answers: readonly (readonly number[])[] | null;
}

const pictureSize = 336;

/**
 * Runs the image tower once and draws:
 * - `attention-layer-I[-head-H]`: where the class token looks in one layer, over the image, a picture a head;
 * - `attention-rollout`: the image, and what of it has reached the class token at the end;
 * - `patch-filters`, `position-similarity`: see weights.ts;
 * - `layer-answers`: with a classifier, each class's probability (a row) after each layer (a column).
 *
 * @param pixels [1, 3, H, W], as the model's preprocessing makes them
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
  const features = await withTaps(
    (name, value) => {
      const [, block, what = ""] =
        /^visual\.transformer\.resblocks\.(\d+)(\.attn#probabilities)?$/.exec(name) ?? [];
      if (block === undefined) return;
      if (what === "") classTokens.push((value.dataSync() as Float32Array).slice(0, value.shape[2]));
      else {
        const attention = {
          values: Float32Array.from(value.dataSync()),
          heads,
          length: value.shape[2]!,
        };
        rollout.add(attention);
        if (Number(block) === layer) shown = attention;
      }
    },
    () => model.encodeImage(pixels),
  );
  features.dispose();

  const picture = shownPicture(pixels, model.preprocess);
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

/** Each layer's class token through the last norm and the projection, as if no layer followed. */
async function layerAnswers(
  { visual }: Clip,
  classTokens: readonly Float32Array[],
  classifier: ZeroShotClassifier,
): Promise<number[][]> {
  const tokens = tensor3d(classTokens.map((token) => [Array.from(token)])); // [layers, 1, width]: images of one token
  const embedded = await disposing(tokens, () => visual.readOut(tokens)); // [layers, embedDim]
  const normalised = await disposing(embedded, (x) => Promise.resolve(l2Normalize(x)));
  const probabilities = await disposing(normalised, (x) => classifier.probabilities(x)); // [layers, classes]
  return disposing(probabilities, (x) => x.array());
}

function answersPicture(answers: readonly (readonly number[])[]): Raster {
  const [layers, classes] = [answers.length, answers[0]!.length];
  return new Raster(layers, classes).paint((x, y) => heat(answers[x]![y]!)).enlarged(24);
}

/** The image as the network gets it, enlarged to a size for people. */
function shownPicture(pixels: Tensor4D, { mean, std }: PreprocessConfig): Raster {
  const [, , height, width] = pixels.shape;
  const values = pixels.dataSync();
  const raster = new Raster(width, height).paint(
    (x, y) =>
      [0, 1, 2].map(
        (channel) => 255 * (values[(channel * height + y) * width + x]! * std[channel]! + mean[channel]!),
      ) as [number, number, number],
  );
  return raster.enlarged(Math.max(1, Math.round(pictureSize / width)));
}
