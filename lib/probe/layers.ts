/**
 * Probes by layer: how well a linear classifier does on each block's output, with all features from one pass.
 *
 * Alain and Bengio, 2016 (arXiv 1610.01644).
 */
import { join } from "node:path";
import type { Clip } from "../clip/clip.ts";
import { nameOf } from "../node/images/image-source.ts";
import { Journal, type JournalKey } from "../node/files/journal.ts";
import type { LabelledImages } from "../node/images/labelled-images.ts";
import { embeddingTap } from "../tasks/embed.ts";
import { InputError } from "../errors/input-error.ts";
import { makeFolder } from "../node/files/write-file.ts";
import { digestImages, embedImagesToFile, type EmbedImagesToFileOptions } from "../features/embed-to-file.ts";
import { evaluateClassifier } from "./evaluate.ts";
import { readFeatures, requireLabels } from "../features/features.ts";
import { fitProbe } from "./fit.ts";
import { clipC, type LogisticRegressionOptions } from "./logistic-regression.ts";
import { describeImageFeatures } from "../features/origin.ts";
import { takeShots } from "./shots.ts";
import { sweepC } from "./sweep.ts";
import { TorchRandom } from "./torch-random.ts";

/** Options of `probeLayers`. */
export interface LayersOptions extends Omit<EmbedImagesToFileOptions, "taps" | "onProgress"> {
  /** As of `fitProbe`, or to be chosen by cross-validation for each layer. */
  readonly C?: number | "sweep";
  readonly maxIterations?: number;
  readonly classWeight?: LogisticRegressionOptions["classWeight"];
  /** Fit on so many examples of each class. Default: all. */
  readonly shots?: number;
  /** Of the shots. Default: 0. */
  readonly seed?: number;
  /** Called now and then, and before each fit: what of which stage is done, and how much of that by an earlier run. */
  readonly onProgress?: (stage: "train" | "test" | "fit", done: number, before: number) => void;
}

/** The figures of the probe on one layer. */
export interface LayerFigures {
  readonly tap: string;
  readonly C: number;
  readonly trainingAccuracy: number;
  /** Of the test images, as in `Evaluation`. */
  readonly acc1: number;
  readonly acc5: number | null;
  readonly meanPerClassRecall: number;
}

type Stage = "train" | "test";

/** What the journal keeps: splits that are embedded, and layers that are measured, with the settings of their fit. */
type Piece =
  | { readonly embedded: Stage; readonly failed: readonly string[] }
  | { readonly fit: string; readonly figures: LayerFigures };

/** The outputs of the image tower's blocks, in their order, and last the embedding. */
export function layerTaps({ config }: Clip): string[] {
  const blocks = Array.from({ length: config.vision.layers }, (_, i) => `visual.transformer.resblocks.${i}`);
  return [...blocks, embeddingTap];
}

/**
 * Fits and measures a probe for each layer. `folder` gets `train/TAP.safetensors`, `test/TAP.safetensors` (features) and
 * `probes/TAP.safetensors`; one layer's features at a time are in memory. Stopped at any point and called again it
 * continues: `folder/layers.journal` keeps what is done until all is.
 *
 * @param images with labels; classes are matched by name
 * @throws InputError as `embedImagesToFile`, `fitProbe` and `takeShots`, and if there are no labels
 */
export async function probeLayers(
  model: Clip,
  images: Readonly<Record<Stage, LabelledImages>>,
  folder: string,
  options: LayersOptions,
): Promise<LayerFigures[]> {
  const { onError, onProgress } = options;
  assertClasses(images, options.shots);
  const taps = layerTaps(model);
  await makeFolder(folder);
  const key = await describeWork(model, taps, images, options);
  const journal = await Journal.open<Piece>(join(folder, "layers.journal"), key);
  try {
    const failed = new Map<Stage, readonly string[]>();
    const known = new Map<string, LayerFigures>();
    const fit = describeFit(options);
    for await (const piece of journal.pieces()) {
      if ("embedded" in piece) failed.set(piece.embedded, piece.failed);
      else if (piece.fit === fit) known.set(piece.figures.tap, piece.figures);
    }
    for (const stage of ["train", "test"] as const) {
      if (failed.has(stage)) for (const message of failed.get(stage)!) onError(new InputError(message));
      else await embedStage(stage);
    }
    const before = known.size;
    for (const tap of taps) {
      if (known.has(tap)) continue;
      onProgress?.("fit", known.size, before);
      const figures = await probeLayer(folder, tap, options);
      await journal.add({ fit, figures });
      known.set(tap, figures);
    }
    await journal.remove();
    return taps.map((tap) => known.get(tap)!);
  } finally {
    await journal.close();
  }

  async function embedStage(stage: Stage): Promise<void> {
    const messages: string[] = [];
    await makeFolder(join(folder, stage));
    await embedImagesToFile(model, images[stage], join(folder, stage, "{tap}.safetensors"), {
      ...options,
      taps,
      onError: (error) => {
        onError(error);
        messages.push(error.message);
      },
      onProgress: (done, before) => onProgress?.(stage, done, before),
    });
    await journal.add({ embedded: stage, failed: messages });
  }
}

/**
 * What would otherwise be found out after hours.
 *
 * @throws InputError if classes are missing or do not match, or one has too few images
 */
function assertClasses(
  { train, test }: Readonly<Record<Stage, LabelledImages>>,
  shots: number | undefined,
): void {
  for (const { images, labels } of [train, test]) {
    if (labels !== null) continue;
    const where = images.length === 0 ? "" : ` (${nameOf(images[0]!)}, …)`;
    throw new InputError(`images without classes${where}; put them into a folder for each class`);
  }
  const known = new Set(namesOf(train));
  if (known.size < 2) throw new InputError(`the images to fit on are all of one class, expected two or more`);
  const unknown = namesOf(test).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new InputError(
      `the test images have the class "${unknown}", which the images to fit on do not have`,
    );
  }
  if (shots === undefined) return;
  for (const [label, size] of sizesOf(train.labels!)) {
    if (size >= shots) continue;
    const name = JSON.stringify(train.classNames?.[label] ?? label);
    throw new InputError(`the class ${name} has ${size} images, expected ${shots} for ${shots} shots`);
  }
}

/** How many images each class has. */
function sizesOf(labels: readonly number[]): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  return sizes;
}

function namesOf({ labels, classNames }: LabelledImages): string[] {
  return classNames === null ? [...new Set(labels)].map(String) : [...classNames];
}

/** What the features depend on. */
async function describeWork(
  model: Clip,
  taps: readonly string[],
  { train, test }: Readonly<Record<Stage, LabelledImages>>,
  options: LayersOptions,
): Promise<JournalKey> {
  const [first] = await describeImageFeatures(model, taps, options);
  return {
    ...first!,
    tap: taps.join(" "),
    train: await digestImages(train),
    test: await digestImages(test),
  };
}

/** What else the figures depend on. */
function describeFit({ C = clipC, maxIterations, classWeight, shots, seed = 0 }: LayersOptions): string {
  return JSON.stringify({ C, maxIterations, classWeight, shots, seed });
}

async function probeLayer(folder: string, tap: string, options: LayersOptions): Promise<LayerFigures> {
  const { C: wanted = clipC, maxIterations, classWeight, shots, seed } = options;
  const file = (kind: string): string => join(folder, kind, `${tap}.safetensors`);
  const all = requireLabels(await readFeatures(file("train")));
  const train = shots === undefined ? all : takeShots(all, shots, seed);
  const regression = {
    ...(maxIterations === undefined ? {} : { maxIterations }),
    ...(classWeight === undefined ? {} : { classWeight }),
  };
  const C = wanted === "sweep" ? sweepC(train, regression).C : wanted;
  const { probe, trainingAccuracy } = fitProbe(train, { ...regression, C });
  await makeFolder(join(folder, "probes"));
  await probe.save(file("probes"));
  const test = probe.acceptLabelled(requireLabels(await readFeatures(file("test"))));
  const { acc1, acc5, meanPerClassRecall } = evaluateClassifier(
    probe.logits(test),
    test.labels,
    probe.bias.length,
  );
  return { tap, C, trainingAccuracy, acc1, acc5: acc5 ?? null, meanPerClassRecall };
}

/**
 * Keeps a part of each class out for testing, at random.
 *
 * @param fraction of each class, at least one image, at most all but one
 * @throws InputError if there are no labels, or a class has a single image
 */
export function splitImages(
  { images, labels, classNames }: LabelledImages,
  fraction: number,
  seed = 0,
): Record<Stage, LabelledImages> {
  if (labels === null) {
    throw new InputError("the images have no classes; put them into a folder for each class");
  }
  const left = new Map<number, number>();
  for (const [label, size] of sizesOf(labels)) {
    if (size < 2) {
      throw new InputError(
        `the class ${JSON.stringify(classNames?.[label] ?? label)} has a single image, expected two or more to keep a part out`,
      );
    }
    left.set(label, Math.min(Math.max(Math.round(size * fraction), 1), size - 1));
  }
  const isTest = new Array<boolean>(images.length).fill(false);
  for (const i of new TorchRandom(seed).permutation(images.length)) {
    const wanted = left.get(labels[i]!)!;
    isTest[i] = wanted > 0;
    left.set(labels[i]!, wanted - 1);
  }
  const part = (test: boolean): LabelledImages => {
    const chosen = images.flatMap((_, i) => (isTest[i] === test ? [i] : []));
    return { images: chosen.map((i) => images[i]!), labels: chosen.map((i) => labels[i]!), classNames };
  };
  return { train: part(false), test: part(true) };
}
