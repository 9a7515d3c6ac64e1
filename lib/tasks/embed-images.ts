/** Converts images to embeddings, or to the output of any layer of the image tower, batch by batch. */
import { mean, reshape, slice, tensor4d, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { disposing } from "../tensor/disposing.ts";
import { InputError } from "../errors/input-error.ts";
import { runTapped, type Pooling } from "./tapped.ts";

/** The tap of the whole image tower: the embedding. */
export const embeddingTap = "visual";

/** The default number of images per batch. */
export const defaultBatchSize = 8;

/** An image that was read, or the reason why it could not be. */
export type LoadedImage =
  | {
      /** Its name, for messages and results. */
      readonly path: string;
      /** [3, height, width] in the model's image size, normalised as its preprocessing does */
      readonly pixels: Float32Array;
    }
  | { readonly path: string; readonly error: InputError };

/** Options for embedding images that are already read. */
export interface EmbedLoadedOptions {
  /** Images per batch. Default: {@link defaultBatchSize}. GPUs benefit from larger batches, CPUs hardly do. */
  readonly batchSize?: number;
  /** Divide each embedding by its L2 norm. Default: false, as in open_clip. */
  readonly normalize?: boolean;
  /** For taps with a vector for each token: the class token's, or the patches' mean. Default: `class`. */
  readonly pool?: Pooling;
  /** Receives the error of an image that cannot be read; the others continue. Default: the error is thrown. */
  readonly onError?: (error: InputError, path: string, index: number) => void;
  /** Called after each batch with the number of images done, including those that cannot be read. */
  readonly onProgress?: (done: number) => void;
}

/** The images of a batch. */
export interface ImageBatch {
  /** The images' names. */
  readonly paths: readonly string[];
  /** The position of each among all images. */
  readonly indices: readonly number[];
  /** How many of all images are done after this batch, including those that cannot be read. */
  readonly done: number;
}

/** A batch of embedded images. */
export interface EmbeddedImages extends ImageBatch {
  /** [paths, embedDim], or the width of another tap; the consumer disposes it */
  readonly features: Tensor2D;
}

/** A batch of images with the values of several taps. */
export interface TappedImages extends ImageBatch {
  /** [paths, width] of each tap; the consumer disposes them */
  readonly features: readonly Tensor2D[];
}

/**
 * Embeds images that a host has read, in their order. Under Node, `embedImages` takes paths.
 *
 * @param tap a module of the image tower; default: `visual`, the embedding
 * @throws InputError for an image that cannot be read, unless `onError` is given, and for an unknown tap
 */
export async function* embedLoadedImages(
  model: Clip,
  images: AsyncIterable<LoadedImage>,
  { tap = embeddingTap, ...options }: EmbedLoadedOptions & { readonly tap?: string } = {},
): AsyncGenerator<EmbeddedImages, void, undefined> {
  for await (const { features, ...batch } of embedLoadedImageTaps(model, images, [tap], options)) {
    yield { ...batch, features: features[0]! };
  }
}

/**
 * Takes several taps of images that a host has read, each batch in one pass, in the images' order.
 *
 * @param taps modules of the image tower, each once
 * @throws InputError as `embedLoadedImages`
 */
export async function* embedLoadedImageTaps(
  model: Clip,
  images: AsyncIterable<LoadedImage>,
  taps: readonly string[],
  options: EmbedLoadedOptions = {},
): AsyncGenerator<TappedImages, void, undefined> {
  const { batchSize = defaultBatchSize, onError, onProgress } = options;
  if (!(Number.isInteger(batchSize) && batchSize > 0)) {
    throw new InputError(`embedding images: expected a batchSize above 0, got ${batchSize}`);
  }
  let done = 0;
  let reported = 0;
  let batch: { path: string; pixels: Float32Array; index: number }[] = [];
  const encodeBatch = async (): Promise<TappedImages> => {
    const images = batch;
    batch = [];
    const pixels = images.map((image) => image.pixels);
    return {
      paths: images.map(({ path }) => path),
      indices: images.map(({ index }) => index),
      done,
      features: await encode(model, pixels, taps, options),
    };
  };
  for await (const image of images) {
    const index = done++;
    if ("error" in image) {
      if (onError === undefined) throw image.error;
      onError(image.error, image.path, index);
    } else {
      batch.push({ ...image, index });
    }
    if (batch.length < batchSize) continue;
    yield await encodeBatch();
    reported = done;
    onProgress?.(done);
  }
  if (batch.length > 0) yield await encodeBatch();
  if (reported < done) onProgress?.(done);
}

function encode(
  model: Clip,
  images: readonly Float32Array[],
  taps: readonly string[],
  { normalize = false, pool = "class" }: EmbedLoadedOptions,
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

/** A vector for each image: [B, D] unchanged; a token or the patches' mean of [B, L, D]; the mean of [B, D, h, w]. */
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
      (name.includes("#")
        ? "expected a vector for each token; choose another tap"
        : "it has no class token; pool by the mean"),
  );
}
