/** Classifies images with a probe: embeds them as its training images were, then applies it. */
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import type { Host } from "../features/host.ts";
import { assertSameOrigin, describeImageFeatures, embeddingOptions } from "../features/origin.ts";
import { disposing } from "../tensor/disposing.ts";
import { embedLoadedImages, embeddingTap, type EmbedLoadedOptions } from "../tasks/embed-images.ts";
import type { ImageInput } from "../tasks/image-source.ts";
import type { ClassScore } from "../tasks/zero-shot.ts";
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

/**
 * Classifies images, batch by batch, in their order.
 *
 * @throws InputError if an image cannot be read, unless `onError` is given; if the probe was fitted on texts, or on
 *   features of another model or preprocessing
 */
export async function* predictImages(
  host: Host,
  model: Clip,
  probe: Probe,
  images: readonly ImageInput[],
  options: PredictOptions = {},
): AsyncGenerator<Prediction[], void, undefined> {
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
  for await (const { paths, features } of embedLoadedImages(model, loaded, {
    ...options,
    ...asFitted,
    tap,
  })) {
    const scores = await disposing(features, () => probe.scores(features));
    yield paths.map((path, i) => ({ path, scores: scores[i]! }));
  }
}
