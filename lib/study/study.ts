/** Charts of the image tower's attention, weights and intermediate answers, from one forward pass. */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { grid, heatMap, type Raster } from "../draw/raster.ts";
import { scaleOf, type Scale } from "../draw/scale.ts";
import { InputError } from "../errors/input-error.ts";
import type { ZeroShotClassifier } from "../tasks/zero-shot.ts";
import { readTap, withTaps } from "../tensor/taps.ts";
import { classAttention, overlay, Rollout, type Attention } from "./attention.ts";
import { rangeOf, withCaption, withLegend } from "./legend.ts";
import { lens } from "./lens.ts";
import { patchGrid, shownImage } from "./shown-image.ts";
import { StreamRecorder } from "./stream.ts";
import { patchFilters, positionSimilarity } from "./weights.ts";

/** Options of `studyImage`. */
export interface StudyOptions {
  /** The layer whose attention is shown. Default: the last. */
  readonly layer?: number;
  /** The head that is shown. Default: all heads, side by side. */
  readonly head?: number;
  /** Classifies the class token after each layer. */
  readonly classifier?: ZeroShotClassifier;
  /**
   * Whether all maps of a chart have the same scale, so that their colours can be compared: attention from 0 to the
   * largest, cosines from −1 to 1. Default: each map has its own, from its smallest to its largest number.
   */
  readonly absoluteScale?: boolean;
}

/** The result of `studyImage`. */
export interface Study {
  /** By file name without extension. */
  readonly figures: ReadonlyMap<string, Raster>;
  /** Probability of each class after each layer, [layers][classes]; null without a classifier. */
  readonly answers: readonly (readonly number[])[] | null;
}

/**
 * Runs the image tower once and draws, each with a legend:
 * - `attention-layer-I[-head-H]`: the class token's attention in one layer over the image, one image per head;
 * - `attention-rollout`: the image, and how much of each patch has reached the class token at the end;
 * - `patch-filters`, `position-similarity`: see weights.ts;
 * - `layer-answers`: given a classifier, the probability of each class (row) after each layer (column), see lens.ts.
 *
 * Attention says where a head reads, not what the answer depends on; see saliency.ts for that.
 *
 * @param pixels [1, 3, H, W], preprocessed
 * @throws InputError for a layer or a head that the model does not have
 */
export async function studyImage(model: Clip, pixels: Tensor4D, options: StudyOptions = {}): Promise<Study> {
  const { heads, layers } = model.config.vision;
  const { layer = layers - 1, head, classifier, absoluteScale = false } = options;
  if (layer >= layers)
    throw new InputError(`layer ${layer}: the image tower has the layers 0 to ${layers - 1}`);
  if (head !== undefined && head >= heads) {
    throw new InputError(`head ${head}: a layer of the image tower has the heads 0 to ${heads - 1}`);
  }
  const patches = patchGrid(model.config.vision);

  const rollout = new Rollout();
  const recorder = new StreamRecorder(model.visual);
  let shown: Attention | null = null;
  const attentionOf = new Map(
    model.visual.blocks.map(({ attentionScope }, i) => [`${attentionScope.path}#probabilities`, i]),
  );
  const sink = async (name: string, value: Tensor): Promise<void> => {
    const block = attentionOf.get(name);
    if (block === undefined) return classifier && recorder.see(name, value);
    const values = Float32Array.from(await readTap(value));
    const attention = { values, heads, length: value.shape[2]! }; // [1, heads, L, L]
    rollout.add(attention);
    if (block === layer) shown = attention;
  };
  const features = await withTaps(sink, () => model.encodeImage(pixels));
  features.dispose();

  const image = await shownImage(pixels, model.preprocess);
  const chosen = head === undefined ? [null, ...Array.from({ length: heads }, (_, i) => i)] : [head];
  const maps = chosen.map((h) => ({
    title: h === null ? "all heads" : `head ${h}`,
    values: classAttention(shown!, h),
  }));
  const attention = attentionChart(image, maps, patches, absoluteScale, head === undefined ? heads : 0);
  const rolled = [{ title: "rollout", values: rollout.classToken() }];
  const figures = new Map([
    [
      `attention-layer-${layer}${head === undefined ? "" : `-head-${head}`}`,
      withLegend(attention.chart, {
        quantity: "attention probability of the class token",
        scale: attention.scale,
      }),
    ],
    [
      "attention-rollout",
      withLegend(attentionChart(image, rolled, patches, absoluteScale, 0).chart, {
        quantity: "share of each patch in the class token after all layers",
        scale: absoluteScale ? { low: 0, high: scaleOf(rolled[0]!.values).high } : scaleOf(rolled[0]!.values),
      }),
    ],
    ["patch-filters", await patchFilters(model.visual, { absoluteScale })],
    ["position-similarity", await positionSimilarity(model.visual, patches, { absoluteScale })],
  ]);
  const answers = classifier ? (await lens(model, recorder.stream, classifier)).probabilities : null;
  if (answers) figures.set("layer-answers", answersChart(answers));
  return { figures, answers };
}

/** The image, and maps over it with their titles and ranges. @param heads 0 for a single map */
function attentionChart(
  image: Raster,
  maps: readonly { readonly title: string; readonly values: Float64Array }[],
  patches: readonly [number, number],
  absoluteScale: boolean,
  heads: number,
): { chart: Raster; scale: Scale | null } {
  const shared = absoluteScale || maps.length === 1;
  const scale = absoluteScale
    ? { low: 0, high: scaleOf(...maps.map(({ values }) => values)).high }
    : scaleOf(maps[0]!.values);
  const drawn = maps.map(({ title, values }) => {
    const own = scaleOf(values);
    return withCaption(overlay(image, values, patches, shared ? scale : own), `${title}: ${rangeOf(own)}`);
  });
  const columns = heads === 0 ? 2 : 2 + Math.min(heads, 4);
  return { chart: grid([withCaption(image, "image"), ...drawn], columns), scale: shared ? scale : null };
}

function answersChart(answers: readonly (readonly number[])[]): Raster {
  const [layers, classes] = [answers.length, answers[0]!.length];
  const values = Array.from(
    { length: layers * classes },
    (_, i) => answers[i % layers]![Math.floor(i / layers)]!,
  );
  const scale = { low: 0, high: 1 };
  return withLegend(heatMap(values, [classes, layers], scale).enlarged(24), {
    quantity: "probability; a row is a label, a column a layer",
    scale,
  });
}
