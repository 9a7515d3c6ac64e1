/** Several random crops of each training image, embedded once: an epoch uses one of them. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { tensor4d } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Rows } from "../../features/features.ts";
import { nameOf } from "../../tasks/image-source.ts";
import { PythonRandom } from "../../tensor/python-random.ts";
import { TorchRandom } from "../../tensor/torch-random.ts";
import { readFeatures, writeFeatures } from "../features/features-files.ts";
import { exists } from "../files/exists.ts";
import { loadCrops } from "./crop-loader.ts";
import type { Pairs } from "./pairs.ts";
import type { TrainSettings } from "./settings.ts";

/** Normalised features of an epoch's images, in their order. @param epoch from 0 */
export type EpochFeatures = (epoch: number) => Promise<Rows>;

/**
 * Embeds the missing views, each into a file of its own, so that a run which was stopped repeats one view at most.
 *
 * @param onImages called with the images done and to do, over all views, and those of an earlier run
 */
export async function cachedViews(
  model: Clip,
  pairs: Pairs,
  settings: Pick<TrainSettings, "imageViews" | "augmentation" | "batchSize" | "workers" | "seed">,
  folder: string,
  onImages: (done: number, total: number, before: number) => void,
): Promise<EpochFeatures> {
  const { imageViews, augmentation, seed } = settings;
  const names = Array.from(pairs.images, nameOf);
  const key = createHash("sha256").update(JSON.stringify({ augmentation, seed, names })).digest("hex");
  const total = imageViews * names.length;
  const pathOf = (view: number): string => join(folder, `image-features-view-${view + 1}.safetensors`);
  let before = 0;
  for (let view = 0; view < imageViews; view++) {
    const path = pathOf(view);
    if (await exists(path)) {
      const { metadata } = await readFeatures(path);
      if (metadata["views"] !== key) {
        throw new InputError(
          `${path}: holds other crops or images than this run's; delete it, or choose another --name`,
        );
      }
      before += names.length;
      continue;
    }
    const done = (count: number): void => {
      onImages(view * names.length + count, total, before);
    };
    const values = await embedView(model, pairs, settings, view, done);
    const { embedDim: width } = model.config;
    const metadata = { tap: "visual", normalized: "true", views: key };
    await writeFeatures(path, {
      ...{ values, rows: names.length, width, labels: null, classNames: null, paths: names, metadata },
    });
  }
  let kept: { readonly view: number; readonly rows: Rows } | null = null;
  return async (epoch) => {
    const view = epoch % imageViews;
    if (kept?.view !== view) kept = { view, rows: await readFeatures(pathOf(view)) };
    return kept.rows;
  };
}

/** @param view draws crops of its own: the run's seed and this number are the seed */
async function embedView(
  model: Clip,
  { images, convertToRgbFirst }: Pairs,
  {
    augmentation,
    batchSize,
    workers,
    seed,
  }: Pick<TrainSettings, "augmentation" | "batchSize" | "workers" | "seed">,
  view: number,
  onImages: (done: number) => void,
): Promise<Float32Array> {
  const [height, width] = model.preprocess.size;
  const { embedDim } = model.config;
  const values = new Float32Array(images.length * embedDim);
  const batches: number[][] = [];
  for (let first = 0; first < images.length; first += batchSize) {
    batches.push(Array.from({ length: Math.min(batchSize, images.length - first) }, (_, i) => first + i));
  }
  const workerSeed = (BigInt(seed) << 32n) + BigInt(view) * 0x10000n;
  const random = { torch: new TorchRandom(seed + view), python: PythonRandom.seeded(workerSeed) };
  const options = { config: model.preprocess, convertToRgbFirst, augmentation, workers, workerSeed, random };
  let done = 0;
  for await (const pixels of loadCrops(images, batches, options)) {
    const count = pixels.length / (3 * height * width);
    const input = tensor4d(pixels, [count, 3, height, width]);
    const features = await model.encodeImage(input, { normalize: true });
    input.dispose();
    values.set(await features.data<"float32">(), done * embedDim);
    features.dispose();
    onImages((done += count));
  }
  return values;
}
