/** Embeds images: worker threads decode the next images while the network runs. */
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import type { LoadImagesOptions } from "../../features/host.ts";
import {
  defaultBatchSize,
  embedLoadedImages,
  embedLoadedImageTaps,
  type EmbeddedImages,
  type EmbedLoadedOptions,
  type LoadedImage,
  type TappedImages,
} from "../../tasks/embed-images.ts";
import { assertEmbedArguments } from "../../tasks/embed-arguments.ts";
import type { ImageList } from "../../tasks/image-list.ts";
import type { ImageInput } from "../../tasks/image-source.ts";
import { rankEmbedded, type Match } from "../../tasks/search.ts";
import "../tap-scope.ts";
import { imageLoader } from "./image-loader.ts";

/** Options for embedding image files. */
export interface EmbedTapsOptions
  extends EmbedLoadedOptions, Pick<LoadImagesOptions, "exifOrientation" | "convertToRgbFirst" | "workers"> {}

/** Options for embedding image files at one tap. */
export interface EmbedImagesOptions extends EmbedTapsOptions {
  /** The module of the image tower whose output is taken. Default: `visual`, the embedding. */
  readonly tap?: string;
}

/** Options of `rankImages`. */
export interface RankImagesOptions extends Omit<EmbedImagesOptions, "normalize"> {
  /** Keep the best matches only, this many. Default: all. */
  readonly top?: number;
}

/** Reads images in their order, decoded and preprocessed for the model. */
export function loadImages(
  model: Pick<Clip, "preprocess">,
  images: ImageList<ImageInput>,
  {
    batchSize = defaultBatchSize,
    exifOrientation = false,
    convertToRgbFirst = false,
    workers,
  }: LoadImagesOptions = {},
): AsyncGenerator<LoadedImage, void, undefined> {
  const loader = imageLoader({
    config: model.preprocess,
    exifOrientation,
    convertToRgbFirst,
    ahead: batchSize,
    ...(workers === undefined ? {} : { workers }),
  });
  return loader.load(images);
}

/**
 * Embeds images, in their order.
 *
 * @param images paths, encoded bytes, blobs, streams and `data:` URLs; a few more than a batch are read ahead
 * @throws InputError for an image that cannot be read, unless `onError` is given, and for an unknown tap
 */
export function embedImages(
  model: Clip,
  images: readonly ImageInput[],
  options: EmbedImagesOptions = {},
): AsyncGenerator<EmbeddedImages, void, undefined> {
  assertEmbedArguments(model, images, options, "embedImages");
  return embedLoadedImages(model, loadImages(model, images, options), options);
}

/**
 * Takes several taps of images, each batch in one pass, in the images' order.
 *
 * @param taps modules of the image tower, each once
 * @throws InputError as `embedImages`
 */
export function embedImageTaps(
  model: Clip,
  images: readonly ImageInput[],
  taps: readonly string[],
  options: EmbedTapsOptions = {},
): AsyncGenerator<TappedImages, void, undefined> {
  assertEmbedArguments(model, images, options, "embedImageTaps");
  return embedLoadedImageTaps(model, loadImages(model, images, options), taps, options);
}

/**
 * Embeds one image.
 *
 * @param image a path, encoded bytes, a blob, a stream or a `data:` URL
 * @returns [1, embedDim]; the caller disposes it
 * @throws InputError if it cannot be read
 */
export async function embedImage(
  model: Clip,
  image: ImageInput,
  options: Omit<EmbedImagesOptions, "onError"> = {},
): Promise<Tensor2D> {
  const batches = embedImages(model, [image], { ...options, workers: 1 });
  const first = await batches.next();
  await batches.return();
  return first.value!.features;
}

/**
 * Ranks images by their similarity to a query, best first.
 *
 * @param query [1, embedDim], from `encodeText` or `encodeImage`
 * @throws InputError as `embedImages`
 */
export function rankImages(
  model: Clip,
  query: Tensor2D,
  images: readonly ImageInput[],
  { top, ...options }: RankImagesOptions = {},
): Promise<Match[]> {
  return rankEmbedded(query, embedImages(model, images, { ...options, normalize: true }), top);
}
