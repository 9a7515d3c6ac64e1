/** Image files to embeddings, batch by batch: workers decode the next images while the network runs. */
import { keep, mean, reshape, slice, tensor4d, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { l2Normalize, type Clip } from "../clip/clip.ts";
import { disposing } from "../nn/module.ts";
import { imageLoader } from "../node/image-loader.ts";
import "../node/tap-scope.ts";
import { InputError } from "../tensor/errors.ts";
import { withTaps } from "../tensor/taps.ts";

/** What stands for an image where a layer's output has a vector for each token: the class token's, or the patches' mean. */
export type Pooling = "class" | "mean";

/** The tap of the whole image tower: the embedding. */
export const embeddingTap = "visual";

/** Images that run together, if nobody says otherwise. */
export const defaultBatchSize = 8;

export interface EmbedImagesOptions {
  /** Images that run together. Default: {@link defaultBatchSize}; a CPU gains little by more, a GPU does. */
  readonly batchSize?: number;
  /** Divide each embedding by its L2 norm. Default: false, as in open_clip. */
  readonly normalize?: boolean;
  /** The module of the image tower whose output is taken. Default: `visual`, the embedding. */
  readonly tap?: string;
  /** For a tap with a vector for each token. Default: `class`. */
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

export interface EmbeddedImages {
  readonly paths: readonly string[];
  /** Where each of them stands among all paths. */
  readonly indices: readonly number[];
  /** How many of all paths are done with this batch, failed ones included. */
  readonly done: number;
  /** [paths, embedDim], of another tap its width; the consumer disposes it */
  readonly features: Tensor2D;
}

/**
 * Embeds image files, in their order.
 *
 * @throws InputError for an image that cannot be read, unless there is an `onError`, and for a tap that is not there
 */
export async function* embedImages(
  model: Clip,
  paths: readonly string[],
  options: EmbedImagesOptions = {},
): AsyncGenerator<EmbeddedImages, void, undefined> {
  const { batchSize = defaultBatchSize, exifOrientation = false, workers, onError, onProgress } = options;
  const loader = imageLoader({
    config: model.preprocess,
    exifOrientation,
    ahead: batchSize, // decoded while the network has the batch before
    ...(workers === undefined ? {} : { workers }),
  });
  let done = 0;
  let batch: { path: string; pixels: Float32Array; index: number }[] = [];
  for await (const image of loader.load(paths)) {
    const index = done++;
    if ("error" in image) {
      if (onError === undefined) throw image.error;
      onError(image.error, image.path, index);
    } else {
      batch.push({ ...image, index });
    }
    if (batch.length < batchSize && done < paths.length) continue;
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
  { normalize = false, tap = embeddingTap, pool = "class" }: EmbedImagesOptions,
): Promise<Tensor2D> {
  const [height, width] = model.config.vision.imageSize;
  const pixels = new Float32Array(images.length * 3 * height * width);
  for (const [i, image] of images.entries()) pixels.set(image, i * image.length);
  return disposing(tensor4d(pixels, [images.length, 3, height, width]), async (batch) => {
    if (tap === embeddingTap) return model.encodeImage(batch, { normalize });
    let tapped: Tensor2D | undefined;
    const names: string[] = [];
    const embedding = await withTaps(
      (name, value) => {
        names.push(name);
        if (name !== tap) return;
        const pooled = onePerImage(name, value, pool);
        tapped = keep(normalize ? l2Normalize(pooled) : pooled);
      },
      () => model.encodeImage(batch),
    );
    embedding.dispose();
    if (tapped !== undefined) return tapped;
    throw new InputError(`no tap "${tap}" in the image tower; choose one of these`, names);
  });
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
