/**
 * A probe for each layer: how well a linear classifier does on each block's output, with all features from one pass.
 *
 * Paper: Alain and Bengio, 2016 (arXiv 1610.01644).
 */
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import { embedImagesToFile, type EmbedImagesToFileOptions } from "../features/embed-to-file.ts";
import { requireLabels, type LabelledFeatures } from "../features/features.ts";
import { decodeFeatures } from "../features/read-features.ts";
import type { Host } from "../features/host.ts";
import { resume, type JournalKey } from "../features/journal.ts";
import type { JsonValue } from "../json/json-value.ts";
import { digestImages, type LabelledImages } from "../features/labelled-images.ts";
import { describeImageFeatures } from "../features/origin.ts";
import { embeddingTap } from "../tasks/embed-images.ts";
import { nameOf } from "../tasks/image-source.ts";
import { fitProbe } from "./fit.ts";
import { clipC, type LogisticRegressionOptions } from "./logistic-regression.ts";
import { encodeProbe } from "./probe-file.ts";
import { takeShots } from "./shots.ts";
import { imagesPerClass, type Split } from "./split-images.ts";
import { sweepC } from "./sweep.ts";

/** Options for probing every layer. */
export interface LayersOptions extends Omit<EmbedImagesToFileOptions, "taps" | "onProgress"> {
  /** As for `fitProbe`, or `sweep`: chosen by cross-validation for each layer. */
  readonly C?: number | "sweep";
  readonly maxIterations?: number;
  readonly classWeight?: LogisticRegressionOptions["classWeight"];
  /** Fit on this many examples of each class. Default: all. */
  readonly shots?: number;
  /** The seed that chooses the shots. Default: 0. */
  readonly seed?: number;
  /** Called after each batch and before each fit with the amount done in a stage, and how much an earlier run did. */
  readonly onProgress?: (stage: Split | "fit", done: number, before: number) => void;
}

/** The figures of one layer's probe. */
export interface LayerFigures {
  readonly tap: string;
  readonly C: number;
  /** False if the fit stopped before the minimum. */
  readonly converged: boolean;
  readonly trainingAccuracy: number;
  /** On the test images, as in `Evaluation`. */
  readonly acc1: number;
  readonly acc5: number | null;
  readonly meanPerClassRecall: number;
}

const splits: readonly Split[] = ["train", "test"];

/** What the journal keeps: splits that are embedded, and figures of layers, with the settings of their fit. */
type Piece =
  | { readonly embedded: Split; readonly failed: readonly string[] }
  | { readonly fit: string; readonly figures: LayerFigures };

function readPiece(value: JsonValue): Piece {
  if (value.at("embedded").isMissing) {
    const figures = value.at("figures");
    const number = (name: string): number => figures.at(name).number();
    return {
      fit: value.at("fit").string(),
      figures: {
        tap: figures.at("tap").string(),
        C: number("C"),
        converged: figures.at("converged").boolean(),
        trainingAccuracy: number("trainingAccuracy"),
        acc1: number("acc1"),
        acc5: figures.at("acc5").isMissing ? null : number("acc5"),
        meanPerClassRecall: number("meanPerClassRecall"),
      },
    };
  }
  return { embedded: value.at("embedded").oneOf(...splits), failed: value.at("failed").strings() };
}

/** The outputs of the image tower's blocks, in their order, and last the embedding. */
export function layerTaps({ config }: Pick<Clip, "config">): string[] {
  const blocks = Array.from({ length: config.vision.layers }, (_, i) => `visual.transformer.resblocks.${i}`);
  return [...blocks, embeddingTap];
}

/**
 * Fits and evaluates a probe for each layer, with the features of one layer at a time in memory. Writes
 * `train/TAP.safetensors` and `test/TAP.safetensors` (features) and `probes/TAP.safetensors` into `folder`. Finished
 * work is kept in `layers.journal` there; called again after an interruption, it continues.
 *
 * @param images with labels; classes are matched by name
 * @throws InputError as `embedImagesToFile`, `fitProbe` and `takeShots`, and for images without labels
 */
export async function probeLayers(
  host: Host,
  model: Clip,
  images: Readonly<Record<Split, LabelledImages>>,
  folder: string,
  options: LayersOptions,
): Promise<LayerFigures[]> {
  const { files } = host;
  const { onError, onProgress } = options;
  assertClasses(images, options.shots);
  const taps = layerTaps(model);
  const place = (...parts: string[]): string => [folder.replace(/\/+$/, ""), ...parts].join("/");
  await files.makeFolder(folder);
  const key = await describeWork(host, model, taps, images, options);
  const fit = describeFit(options);
  const failed = new Map<Split, readonly string[]>();
  const known = new Map<string, LayerFigures>();

  return resume<Piece, LayerFigures[]>(files, place("layers.journal"), key, {
    readPiece,
    onPiece: (piece) => {
      if ("embedded" in piece) failed.set(piece.embedded, piece.failed);
      else if (piece.fit === fit) known.set(piece.figures.tap, piece.figures);
    },
    remaining: async function* () {
      for (const split of splits) {
        if (!failed.has(split)) yield await embedSplit(split);
        else for (const message of failed.get(split)!) onError(new InputError(message));
      }
      const before = known.size;
      for (const tap of taps) {
        if (known.has(tap)) continue;
        onProgress?.("fit", known.size, before);
        yield { fit, figures: await probeLayer(tap) };
      }
    },
    finish: () => Promise.resolve(taps.map((tap) => known.get(tap)!)),
  });

  async function embedSplit(split: Split): Promise<Piece> {
    const messages: string[] = [];
    await files.makeFolder(place(split));
    await embedImagesToFile(host, model, images[split], place(split, "{tap}.safetensors"), {
      ...options,
      taps,
      onError: (error) => {
        onError(error);
        messages.push(error.message);
      },
      onProgress: (done, before) => onProgress?.(split, done, before),
    });
    return { embedded: split, failed: messages };
  }

  async function probeLayer(tap: string): Promise<LayerFigures> {
    const { C: wanted = clipC, maxIterations, classWeight, shots, seed } = options;
    const read = async (split: Split): Promise<LabelledFeatures> =>
      requireLabels(await decodeFeatures(await files.open(place(split, `${tap}.safetensors`))));
    const all = await read("train");
    const train = shots === undefined ? all : takeShots(all, shots, seed);
    const regression = {
      ...(maxIterations === undefined ? {} : { maxIterations }),
      ...(classWeight === undefined ? {} : { classWeight }),
    };
    const C = wanted === "sweep" ? sweepC(train, regression).C : wanted;
    const { probe, trainingAccuracy, converged } = fitProbe(train, { ...regression, C });
    await files.makeFolder(place("probes"));
    await files.write([place("probes", `${tap}.safetensors`)], ([file]) => file!.write(encodeProbe(probe)));
    const test = probe.acceptLabelled(await read("test"));
    const { acc1, acc5 = null, meanPerClassRecall } = probe.evaluate(test);
    return { tap, C, converged, trainingAccuracy, acc1, acc5, meanPerClassRecall };
  }
}

/**
 * Checks the classes before the images are embedded, which can take hours.
 *
 * @throws InputError if classes are missing or do not match, or one has too few images
 */
function assertClasses(
  { train, test }: Readonly<Record<Split, LabelledImages>>,
  shots: number | undefined,
): void {
  for (const { images, labels } of [train, test]) {
    if (labels !== null) continue;
    const first = images.at(0);
    const where = first === undefined ? "" : ` (${nameOf(first)}, …)`;
    throw new InputError(`images without classes${where}; put the images of each class into a folder`);
  }
  const known = new Set(namesOf(train));
  if (known.size < 2)
    throw new InputError("expected training images of two or more classes, found one class");
  const unknown = namesOf(test).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new InputError(
      `the test images have the class "${unknown}", which the training images do not have`,
    );
  }
  if (shots === undefined) return;
  for (const [label, size] of imagesPerClass(train.labels!)) {
    if (size >= shots) continue;
    const name = JSON.stringify(train.classNames?.[label] ?? label);
    throw new InputError(`the class ${name} has ${size} images, expected ${shots} for ${shots} shots`);
  }
}

function namesOf({ labels, classNames }: LabelledImages): string[] {
  return classNames === null ? [...new Set(labels)].map(String) : [...classNames];
}

/** What the features depend on. */
async function describeWork(
  host: Host,
  model: Clip,
  taps: readonly string[],
  { train, test }: Readonly<Record<Split, LabelledImages>>,
  options: LayersOptions,
): Promise<JournalKey> {
  const [first] = await describeImageFeatures(host, model, taps, options);
  return {
    ...first!,
    tap: taps.join(" "),
    train: await digestImages(host.files, train),
    test: await digestImages(host.files, test),
  };
}

/** What the figures depend on in addition to the features. */
function describeFit({ C = clipC, maxIterations, classWeight, shots, seed = 0 }: LayersOptions): string {
  // The version changes with the content of the figures.
  return JSON.stringify({ version: 2, C, maxIterations, classWeight, shots, seed });
}
