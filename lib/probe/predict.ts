/** Classifies images with a probe, which embeds them as its training images were, or rows of features. */
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import type { Features } from "../features/features.ts";
import type { Host } from "../features/host.ts";
import {
  assertSameOrigin,
  describeImageFeatures,
  embeddingOptions,
  type Naming,
} from "../features/origin.ts";
import { disposing } from "../tensor/disposing.ts";
import {
  embedLoadedImages,
  embeddingTap,
  type EmbeddedImages,
  type EmbedLoadedOptions,
} from "../tasks/embed-images.ts";
import type { ImageInput } from "../tasks/image-source.ts";
import type { ClassScore } from "../tasks/zero-shot.ts";
import { softmaxRows } from "./logits.ts";
import type { Probe } from "./probe.ts";

/** Options for classifying images with a probe. */
export interface PredictOptions extends Pick<EmbedLoadedOptions, "batchSize" | "onError" | "onProgress"> {
  /** Threads that decode images. Default: the host's choice. */
  readonly workers?: number;
}

/** The scores of an image. */
export interface Prediction {
  readonly path: string;
  /** Best first. */
  readonly scores: ClassScore[];
}

/** The probabilities of all classes, for consecutive images or rows. */
export interface ProbabilityBlock {
  /** The image of each row. */
  readonly paths: readonly string[];
  /** [rows, classes] in row-major order, in the order of the probe's classes */
  readonly probabilities: Float32Array;
}

/** What predictions need of a host. */
export type PredictHost = Naming & Pick<Host, "loadImages">;

/**
 * Classifies images, batch by batch, in their order.
 *
 * @throws InputError if an image cannot be read, unless `onError` is given; if the probe was fitted on texts, or on
 *   features of another model or preprocessing
 */
export async function* predictImages(
  host: PredictHost,
  model: Clip,
  probe: Probe,
  images: readonly ImageInput[],
  options: PredictOptions = {},
): AsyncGenerator<Prediction[], void, undefined> {
  for await (const { paths, features } of embedAsFitted(host, model, probe, images, options)) {
    const scores = await disposing(features, () => probe.scores(features));
    yield paths.map((path, i) => ({ path, scores: scores[i]! }));
  }
}

/** As `predictImages`, with the probabilities in the order of the probe's classes. @throws InputError as there */
export async function* imageProbabilities(
  host: PredictHost,
  model: Clip,
  probe: Probe,
  images: readonly ImageInput[],
  options: PredictOptions = {},
): AsyncGenerator<ProbabilityBlock, void, undefined> {
  for await (const { paths, features } of embedAsFitted(host, model, probe, images, options)) {
    const [rows, width] = features.shape;
    const values = await disposing(features, (tensor) => tensor.data<"float32">());
    const logits = probe.logits({ values, rows, width });
    yield { paths, probabilities: softmaxRows(logits, probe.bias.length) };
  }
}

/**
 * Classifies the rows of features, a block at a time, in their order. A row without a path is named by its number, from 0.
 *
 * @throws InputError as `Probe.accept`
 */
export function* predictFeatures(probe: Probe, features: Features): Generator<Prediction[], void, undefined> {
  const classes = probe.bias.length;
  probe.accept(features);
  for (const { start, end, logits } of probe.blocks(features)) {
    const paths = pathsOf(features, start, end);
    const probabilities = softmaxRows(logits.slice(), classes);
    yield paths.map((path, i) => ({
      path,
      scores: probe.classNames
        .map((label, c) => ({
          label,
          probability: probabilities[i * classes + c]!,
          logit: logits[i * classes + c]!,
        }))
        .sort((a, b) => b.logit - a.logit),
    }));
  }
}

/**
 * As `predictFeatures`, with the probabilities in the order of the probe's classes.
 *
 * @throws InputError as `Probe.accept`
 */
export function* featureProbabilities(
  probe: Probe,
  features: Features,
): Generator<ProbabilityBlock, void, undefined> {
  probe.accept(features);
  for (const { start, end, logits } of probe.blocks(features)) {
    yield {
      paths: pathsOf(features, start, end),
      probabilities: softmaxRows(logits, probe.bias.length),
    };
  }
}

function pathsOf({ paths }: Features, start: number, end: number): string[] {
  return Array.from({ length: end - start }, (_, i) => paths?.[start + i] ?? `${start + i}`);
}

/** Embeds images like the probe's training images. */
async function* embedAsFitted(
  host: PredictHost,
  model: Clip,
  probe: Probe,
  images: readonly ImageInput[],
  options: PredictOptions,
): AsyncGenerator<EmbeddedImages, void, undefined> {
  const { tap = embeddingTap } = probe.metadata;
  if (!tap.startsWith("visual")) {
    throw new InputError(
      `${probe.name}: fitted on texts, so it cannot classify images; fit a probe on images`,
    );
  }
  const asFitted = embeddingOptions(probe.metadata);
  const [current] = await describeImageFeatures(host, model, [tap], asFitted);
  assertSameOrigin(current!, probe.metadata, probe.name, "the model in use");
  const loaded = host.loadImages(model, images, { ...options, ...asFitted });
  yield* embedLoadedImages(model, loaded, { ...options, ...asFitted, tap });
}
