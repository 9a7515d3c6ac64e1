/** Features of the training images, which a locked image tower computes once instead of in every epoch. */
import { join } from "node:path";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Rows } from "../../features/features.ts";
import { nameOf } from "../../tasks/image-source.ts";
import { exists } from "../files/exists.ts";
import { embedImagesToFile, readFeatures } from "../features/features-files.ts";
import { cachedViews, type EpochFeatures } from "./image-views.ts";
import type { Pairs } from "./pairs.ts";
import type { TrainSettings } from "./settings.ts";

/** Called with the number of images done, of all, and those of an earlier run. */
export type OnImages = (done: number, total: number, before: number) => void;

/**
 * Reads features from --image-features, or embeds each image once with the evaluation's preprocessing and keeps the
 * result in the run's folder; with --image-views several random crops of each. An interrupted run continues.
 *
 * @returns normalised features in the order of the pairs; null if neither option is set
 * @throws InputError if the image tower is not locked, or features and pairs do not match
 */
export async function cachedFeatures(
  model: Clip,
  pairs: Pairs,
  settings: TrainSettings,
  folder: string,
  onImages: OnImages,
): Promise<EpochFeatures | null> {
  const { imageFeatures, cacheImageFeatures, imageViews, locks, batchSize, workers } = settings;
  if (imageViews > 0 && !cacheImageFeatures) {
    throw new InputError(`--image-views ${imageViews}: requires --cache-image-features`);
  }
  if (imageFeatures === null && !cacheImageFeatures) return null;
  if (locks.image?.unlockedGroups !== 0) {
    const option = imageFeatures === null ? "--cache-image-features" : "--image-features";
    throw new InputError(
      `${option}: requires --lock-image without unlocked groups, because features of a trained tower change`,
    );
  }
  if (imageFeatures !== null) return always(await featuresOf(pairs, imageFeatures, model.config.embedDim));
  if (imageViews > 0) return cachedViews(model, pairs, settings, folder, onImages);
  const own = join(folder, "image-features.safetensors");
  if (!(await exists(own))) {
    const failed: InputError[] = [];
    const images = { images: pairs.images, labels: null, classNames: null };
    await embedImagesToFile(model, images, own, {
      batchSize,
      workers,
      normalize: true,
      convertToRgbFirst: pairs.convertToRgbFirst,
      onError: (error) => failed.push(error),
      onProgress: (done, before) => {
        onImages(done, pairs.images.length, before);
      },
    });
    if (failed[0] !== undefined) throw failed[0];
  }
  return always(await featuresOf(pairs, own, model.config.embedDim));
}

const always =
  (rows: Rows): EpochFeatures =>
  () =>
    Promise.resolve(rows);

/** Rows by the names of the images; in their order if the file has no names. */
async function featuresOf(pairs: Pairs, path: string, width: number): Promise<Rows> {
  const features = await readFeatures(path);
  if (features.width !== width) {
    throw new InputError(
      `${path}: features of ${features.width} numbers, the model's have ${width}; embed with this model`,
    );
  }
  const rowOf = features.paths && new Map(features.paths.map((name, row) => [name, row]));
  if (rowOf === null && features.rows !== pairs.images.length) {
    throw new InputError(
      `${path}: ${features.rows} rows without the names of images, expected ${pairs.images.length}, one for each pair`,
    );
  }
  const values = new Float32Array(pairs.images.length * width);
  let at = 0;
  for (const image of pairs.images) {
    const row = rowOf === null ? at : rowOf.get(nameOf(image));
    if (row === undefined)
      throw new InputError(
        `${path}: no row for the image ${nameOf(image)}; embed all images of ${pairs.name}`,
      );
    values.set(normalised(features.values.subarray(row * width, (row + 1) * width)), at * width);
    at += 1;
  }
  return { values, rows: at, width };
}

function normalised(row: Float32Array): Float32Array {
  const norm = Math.hypot(...row);
  return Math.abs(norm - 1) < 1e-6 || norm === 0 ? row : row.map((value) => value / norm);
}
