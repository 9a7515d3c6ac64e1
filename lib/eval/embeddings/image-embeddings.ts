/** Embeddings of a dataset's images: from a features file that an earlier run wrote, or computed once and kept there. */
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { sha256OfJson } from "../../features/digest.ts";
import { embedImagesToFile } from "../../features/embed-to-file.ts";
import { decodeFeatures } from "../../features/read-features.ts";
import type { Features, Metadata, Rows } from "../../features/features.ts";
import { assertSameOrigin, describeImageFeatures, precisionOf } from "../../features/origin.ts";
import { embeddingTap, embedLoadedImages } from "../../tasks/embed-images.ts";
import { nameOf } from "../../tasks/image-source.ts";
import { joinPath } from "../dataset-files.ts";
import type { Dataset } from "../dataset.ts";
import type { EvaluationHost } from "../host.ts";
import { commonFolder, digestOfImages } from "./image-digest.ts";

/** How images are embedded, and where their embeddings are kept. */
export interface ImageEmbeddingOptions {
  /** The folder of the features files. Without it, embeddings are kept in memory only. */
  readonly features?: string;
  /** Evaluate the first images only. Default: all. */
  readonly limit?: number;
  readonly batchSize?: number;
  /** Called after each batch with the number of images done, and how many of them an earlier run did. */
  readonly onProgress?: (done: number, total: number, before: number) => void;
}

/** The embeddings of the images that can be read. */
export interface ImageEmbeddings {
  /** [images that were read, embedDim], not normalised */
  readonly rows: Rows;
  /** The image of each row. */
  readonly images: readonly number[];
  /** How many of the dataset's images were asked for. */
  readonly asked: number;
  /** The images that cannot be read, with the reason where this run found it. */
  readonly failed: readonly { readonly image: number; readonly reason: string }[];
  /** The features file; null without a folder for them. */
  readonly file: string | null;
  /** How many images this run decoded. */
  readonly decoded: number;
}

/** @throws InputError if none of the images can be read, or a features file belongs to another model or preprocessing */
export async function embedDatasetImages(
  host: EvaluationHost,
  model: Clip,
  dataset: Dataset,
  options: ImageEmbeddingOptions = {},
): Promise<ImageEmbeddings> {
  const { features: folder, batchSize, onProgress } = options;
  const asked = Math.min(options.limit ?? Infinity, dataset.images.length);
  if (asked === 0) throw new InputError(`${dataset.name}: expected at least one image, found none`);
  if (folder === undefined) return embedInMemory(host, model, dataset, asked, options);
  const { convertToRgbFirst } = dataset;
  const [origin] = await describeImageFeatures(host, model, [embeddingTap], { convertToRgbFirst });
  const cached = await cachedFile(host, origin!, dataset, asked, folder);
  if (cached !== null) {
    await host.files.removeRemains(cached.file);
    return firstOf(await read(host, origin!, dataset, cached.count, cached.file), asked);
  }
  const { file, digest } = await placeOf(host, origin!, dataset, asked, folder);
  await host.files.makeFolder(folder);
  const reasons: string[] = [];
  let decoded = 0;
  await embedImagesToFile(host, model, labelledImages(dataset, asked), file, {
    convertToRgbFirst,
    digest,
    ...(batchSize === undefined ? {} : { batchSize }),
    onError: ({ message }) => reasons.push(message),
    onProgress: (done, before) => {
      decoded = done - before;
      onProgress?.(done, asked, before);
    },
  });
  const embedded = await read(host, origin!, dataset, asked, file);
  const failed = embedded.failed.map(({ image }, i) => ({ image, reason: reasons[i]! }));
  return { ...embedded, failed, decoded };
}

/** How many of the images that are asked for have embeddings in a features file: all or none. */
export async function countCachedImages(
  host: EvaluationHost,
  model: Clip,
  dataset: Dataset,
  { features, limit = Infinity }: Pick<ImageEmbeddingOptions, "features" | "limit">,
): Promise<number> {
  if (features === undefined) return 0;
  const { convertToRgbFirst, images } = dataset;
  const asked = Math.min(limit, images.length);
  const [origin] = await describeImageFeatures(host, model, [embeddingTap], { convertToRgbFirst });
  return (await cachedFile(host, origin!, dataset, asked, features)) === null ? 0 : asked;
}

/** The features file that has at least the first `asked` images, and how many it is for; null without one. */
async function cachedFile(
  host: EvaluationHost,
  origin: Metadata,
  dataset: Dataset,
  asked: number,
  folder: string,
): Promise<{ readonly file: string; readonly count: number } | null> {
  // A file with all images serves a run that is limited to the first of them.
  for (const count of new Set([dataset.images.length, asked])) {
    const { file } = await placeOf(host, origin, dataset, count, folder);
    if ((await host.files.version(file)) !== "") return { file, count };
  }
  return null;
}

/**
 * The features file of a dataset's first `count` images. All runs on the same images with the same image tower,
 * preprocessing and backend share it.
 */
async function placeOf(
  host: EvaluationHost,
  origin: Metadata,
  { name, images }: Dataset,
  count: number,
  folder: string,
): Promise<{ readonly file: string; readonly digest: string }> {
  const digest = await digestOfImages(host.files, images.slice(0, count));
  const key = await sha256OfJson([
    origin["model_sha256"],
    origin["preprocess"],
    origin["backend"],
    digest,
    ...precisionOf(origin),
  ]);
  const title = name.replace(/^wds\//, "").replaceAll(/[^\w.+-]+/g, "-");
  return { file: joinPath(folder, `images-${title}-${key.slice(0, 16)}.safetensors`), digest };
}

/** The labels come along, so that `clipscope probe` can use the file. */
function labelledImages(dataset: Dataset, count: number): Parameters<typeof embedImagesToFile>[2] {
  const labels = dataset.kind === "classification" ? dataset.labels.slice(0, count) : [null];
  const isLabelled = (given: readonly (number | null)[]): given is readonly number[] => !given.includes(null);
  return {
    images: dataset.images.slice(0, count),
    labels: isLabelled(labels) ? labels : null,
    classNames: null,
  };
}

async function read(
  host: EvaluationHost,
  origin: Metadata,
  dataset: Dataset,
  count: number,
  file: string,
): Promise<ImageEmbeddings> {
  const features = await decodeFeatures(await host.files.open(file));
  assertSameOrigin(origin, features.metadata, file, "this evaluation");
  const images = imagesOfRows(features, dataset.images.slice(0, count).map(nameOf));
  const present = new Set(images);
  const failed = Array.from({ length: count }, (_, image) => image)
    .filter((image) => !present.has(image))
    .map((image) => ({
      image,
      reason: `${nameOf(dataset.images[image]!)}: could not be read when ${file} was written`,
    }));
  return { rows: features, images, asked: count, failed, file, decoded: 0 };
}

/**
 * The image of each row. Rows are in the order of the images, and lack those that could not be read. The folder of the
 * images may have had another path when the file was written.
 *
 * @throws InputError if the rows are not of these images
 */
function imagesOfRows({ name, paths }: Features, images: readonly string[]): number[] {
  const root = commonFolder(images);
  const relative = images.map((image) => image.slice(root.length));
  const first = paths?.[0] ?? "";
  const ends = relative.filter((path) => first.endsWith(path)).sort((a, b) => b.length - a.length);
  for (const end of ends) {
    const found = match(paths ?? [], first.slice(0, first.length - end.length), relative);
    if (found !== null) return found;
  }
  throw new InputError(`${name}: expected rows of the images of this dataset, found others; delete the file`);
}

/** The image of each path, with the given folder; null if one is not among the images in this order. */
function match(paths: readonly string[], root: string, relative: readonly string[]): number[] | null {
  let image = 0;
  const found = paths.map((path) => {
    while (image < relative.length && root + relative[image]! !== path) image += 1;
    return image++;
  });
  return image <= relative.length ? found : null;
}

/** The rows of the first images. */
function firstOf(embeddings: ImageEmbeddings, asked: number): ImageEmbeddings {
  const count = embeddings.images.filter((image) => image < asked).length;
  const { values, width } = embeddings.rows;
  return {
    ...embeddings,
    rows: { values: values.subarray(0, count * width), rows: count, width },
    images: embeddings.images.slice(0, count),
    asked,
    failed: embeddings.failed.filter(({ image }) => image < asked),
  };
}

async function embedInMemory(
  host: EvaluationHost,
  model: Clip,
  { name, images, convertToRgbFirst }: Dataset,
  asked: number,
  { batchSize, onProgress }: ImageEmbeddingOptions,
): Promise<ImageEmbeddings> {
  const width = model.config.embedDim;
  const values = new Float32Array(asked * width);
  const rowImages: number[] = [];
  const failed: { image: number; reason: string }[] = [];
  const batch = batchSize === undefined ? {} : { batchSize };
  const loaded = host.loadImages(model, images.slice(0, asked), { convertToRgbFirst, ...batch });
  const batches = embedLoadedImages(model, loaded, {
    ...batch,
    onError: (error, _path, image) => failed.push({ image, reason: error.message }),
    onProgress: (done) => onProgress?.(done, asked, 0),
  });
  for await (const { features, indices } of batches) {
    try {
      values.set(await features.data<"float32">(), rowImages.length * width);
    } finally {
      features.dispose();
    }
    for (const image of indices) rowImages.push(image);
  }
  const count = rowImages.length;
  if (count === 0)
    throw new InputError(`${name}: none of the ${asked} images can be read (${failed[0]?.reason})`);
  return {
    rows: { values: values.subarray(0, count * width), rows: count, width },
    images: rowImages,
    asked,
    failed,
    file: null,
    decoded: asked,
  };
}
