/** Image files to embeddings, batch by batch: workers decode the next images while the network runs. */
import { tensor4d, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { disposing } from "../nn/module.ts";
import { imageLoader } from "../node/image-loader.ts";
import type { InputError } from "../tensor/errors.ts";

export interface EmbedImagesOptions {
  /** Images that run together. Default: 4; a CPU gains little by more, a GPU does. */
  readonly batchSize?: number;
  /** Divide each embedding by its L2 norm. Default: false, as in open_clip. */
  readonly normalize?: boolean;
  /** Turn pictures as their EXIF data says. Default: false, as the reference. */
  readonly exifOrientation?: boolean;
  /** Threads that decode. Default: the image loader's. */
  readonly workers?: number;
  /** Receives the error of an image that cannot be read; the others go on. Default: the error is thrown. */
  readonly onError?: (error: InputError, path: string) => void;
  /** Called after each batch with the images that are done, failed ones included. */
  readonly onProgress?: (done: number) => void;
}

export interface EmbeddedImages {
  readonly paths: readonly string[];
  /** [paths, embedDim]; the consumer disposes it */
  readonly features: Tensor2D;
}

/**
 * Embeds image files, in their order.
 *
 * @throws InputError for an image that cannot be read, unless there is an `onError`
 */
export async function* embedImages(
  model: Clip,
  paths: readonly string[],
  options: EmbedImagesOptions = {},
): AsyncGenerator<EmbeddedImages, void, undefined> {
  const { batchSize = 4, normalize = false, exifOrientation = false, workers, onError, onProgress } = options;
  const loader = imageLoader({
    config: model.preprocess,
    exifOrientation,
    ...(workers === undefined ? {} : { workers }),
  });
  let done = 0;
  let batch: { path: string; pixels: Float32Array }[] = [];
  for await (const image of loader.load(paths)) {
    done += 1;
    if ("error" in image) {
      if (onError === undefined) throw image.error;
      onError(image.error, image.path);
    } else {
      batch.push(image);
    }
    if (batch.length < batchSize && done < paths.length) continue;
    if (batch.length > 0) {
      const embedded = batch;
      batch = [];
      yield {
        paths: embedded.map(({ path }) => path),
        features: await encode(
          model,
          embedded.map(({ pixels }) => pixels),
          normalize,
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

function encode(model: Clip, images: readonly Float32Array[], normalize: boolean): Promise<Tensor2D> {
  const [height, width] = model.config.vision.imageSize;
  const pixels = new Float32Array(images.length * 3 * height * width);
  for (const [i, image] of images.entries()) pixels.set(image, i * image.length);
  return disposing(tensor4d(pixels, [images.length, 3, height, width]), (batch) =>
    model.encodeImage(batch, { normalize }),
  );
}
