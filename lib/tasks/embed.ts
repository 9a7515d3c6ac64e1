/** Image files to embeddings, batch by batch: workers decode the next images while the network runs. */
import { mean, reshape, slice, tensor4d, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { disposing } from "../tensor/disposing.ts";
import { imageLoader } from "../node/images/image-loader.ts";
import type { ImageSource } from "../node/images/image-source.ts";
import "../node/tap-scope.ts";
import { InputError } from "../errors/input-error.ts";
import { runTapped, type Pooling } from "./tapped.ts";

/** The tap of the whole image tower: the embedding. */
export const embeddingTap = "visual";

/** Images that run together, if nobody says otherwise. */
export const defaultBatchSize = 8;

/** Options of `embedImageTaps`. */
export interface EmbedTapsOptions {
  /** Images that run together. Default: {@link defaultBatchSize}; a CPU gains little by more, a GPU does. */
  readonly batchSize?: number;
  /** Divide each embedding by its L2 norm. Default: false, as in open_clip. */
  readonly normalize?: boolean;
  /** For taps with a vector for each token: the class token's, or the patches' mean. Default: `class`. */
  readonly pool?: Pooling;
  /** Turn pictures as their EXIF data says. Default: false, as the reference. */
  readonly exifOrientation?: boolean;
  /** Threads that decode. Default: the image loader's. */
  readonly workers?: number;
  /** Receives the error of an image that cannot be read; the others go on. Default: the error is thrown. */
  readonly onError?: (error: InputError, path: string, index: number) => void;
  /** Called after each batch with the images that are done, failed ones included. */
  readonly onProgress?: (done: number) => void;
}

/** Options of `embedImages`. */
export interface EmbedImagesOptions extends EmbedTapsOptions {
  /** The module of the image tower whose output is taken. Default: `visual`, the embedding. */
  readonly tap?: string;
}

/** A batch of images and its place among all images. */
export interface ImageBatch {
  /** Their names. */
  readonly paths: readonly string[];
  /** Where each of them stands among all images. */
  readonly indices: readonly number[];
  /** How many of all images are done with this batch, failed ones included. */
  readonly done: number;
}

/** A batch of images with their embeddings. */
export interface EmbeddedImages extends ImageBatch {
  /** [paths, embedDim], of another tap its width; the consumer disposes it */
  readonly features: Tensor2D;
}

/** A batch of images with the values of several taps. */
export interface TappedImages extends ImageBatch {
  /** Of each tap [paths, its width]; the consumer disposes them */
  readonly features: readonly Tensor2D[];
}

/**
 * Embeds images, in their order.
 *
 * @throws InputError for an image that cannot be read, unless there is an `onError`, and for a tap that is not there
 */
export async function* embedImages(
  model: Clip,
  images: readonly ImageSource[],
  { tap = embeddingTap, ...options }: EmbedImagesOptions = {},
): AsyncGenerator<EmbeddedImages, void, undefined> {
  for await (const { features, ...batch } of embedImageTaps(model, images, [tap], options)) {
    yield { ...batch, features: features[0]! };
  }
}

/**
 * Takes several taps of images, each batch in one pass, in the images' order.
 *
 * @param taps modules of the image tower, each once
 * @throws InputError as `embedImages`
 */
export async function* embedImageTaps(
  model: Clip,
  images: readonly ImageSource[],
  taps: readonly string[],
  options: EmbedTapsOptions = {},
): AsyncGenerator<TappedImages, void, undefined> {
  const { batchSize = defaultBatchSize, exifOrientation = false, workers, onError, onProgress } = options;
  const loader = imageLoader({
    config: model.preprocess,
    exifOrientation,
    ahead: batchSize, // decoded while the network has the batch before
    ...(workers === undefined ? {} : { workers }),
  });
  let done = 0;
  let batch: { path: string; pixels: Float32Array; index: number }[] = [];
  for await (const image of loader.load(images)) {
    const index = done++;
    if ("error" in image) {
      if (onError === undefined) throw image.error;
      onError(image.error, image.path, index);
    } else {
      batch.push({ ...image, index });
    }
    if (batch.length < batchSize && done < images.length) continue;
    if (batch.length > 0) {
      const embedded = batch;
      batch = [];
      yield {
        paths: embedded.map(({ path }) => path),
        indices: embedded.map(({ index }) => index),
        done,
        features: await encode(
          model,
          embedded.map(({ pixels }) => pixels),
          taps,
          options,
        ),
      };
    }
    onProgress?.(done);
  }
}

/**
 * Embeds one image file.
 *
 * @returns [1, embedDim]; the caller disposes it
 * @throws InputError if it cannot be read
 */
export async function embedImage(
  model: Clip,
  path: string,
  options: Omit<EmbedImagesOptions, "onError"> = {},
): Promise<Tensor2D> {
  const batches = embedImages(model, [path], { ...options, workers: 1 });
  const first = await batches.next();
  await batches.return();
  return first.value!.features;
}

function encode(
  model: Clip,
  images: readonly Float32Array[],
  taps: readonly string[],
  { normalize = false, pool = "class" }: EmbedTapsOptions,
): Promise<Tensor2D[]> {
  const [height, width] = model.config.vision.imageSize;
  const pixels = new Float32Array(images.length * 3 * height * width);
  for (const [i, image] of images.entries()) pixels.set(image, i * image.length);
  return disposing(tensor4d(pixels, [images.length, 3, height, width]), (batch) =>
    runTapped({
      taps,
      embedding: embeddingTap,
      normalize,
      vectorOf: (name, value) => onePerImage(name, value, pool),
      run: (options) => model.encodeImage(batch, options),
    }),
  );
}

/** A vector for each image: [B, D] as it is, one token or the patches' mean of [B, L, D], the mean of [B, D, h, w]. */
function onePerImage(name: string, value: Tensor, pool: Pooling): Tensor2D {
  const [batch = 0, length = 0, width = 0] = value.shape;
  if (value.rank === 2) return value as Tensor2D;
  if (value.rank === 3) {
    const classToken = (): Tensor2D => reshape(slice(value, [0, 0, 0], [batch, 1, width]), [batch, width]);
    return pool === "class" ? classToken() : mean(slice(value, [0, 1, 0], [batch, length - 1, width]), 1);
  }
  if (value.rank === 4 && pool === "mean" && !name.includes("#")) return mean(value, [2, 3]);
  throw new InputError(
    `the tap "${name}" has the shape [${value.shape}]: ` +
      (name.includes("#") ? "no vector for each token; take another" : "no class token; pool by the mean"),
  );
}
