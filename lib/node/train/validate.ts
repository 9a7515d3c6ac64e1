/**
 * Validation during training: the contrastive loss and the retrieval ranks of open_clip's `evaluate`, and zero-shot
 * accuracy.
 *
 * Source: open_clip_train/train.py, evaluate and get_clip_metrics; open_clip_train/zero_shot.py.
 */
import { tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { contrastiveLoss } from "../../clip/loss.ts";
import type { Dataset } from "../../eval/dataset.ts";
import { retrievalRanks, type Ranks } from "../../eval/metrics/retrieval.ts";
import { evaluate } from "../eval/evaluate.ts";
import { loadImages } from "../images/embed-images.ts";
import { embedLoadedImages } from "../../tasks/embed-images.ts";
import type { Rows } from "../../features/features.ts";
import type { Pairs } from "./pairs.ts";

/** Under open_clip's names. */
export type Metrics = Record<string, number>;

/** Normalised features of images, in their order. @param onImages called with the number of images done */
export async function embedPairImages(
  model: Clip,
  { images, convertToRgbFirst }: Pairs,
  options: { readonly batchSize: number; readonly workers: number },
): Promise<Rows> {
  const width = model.config.embedDim;
  const values = new Float32Array(images.length * width);
  let at = 0;
  const loaded = loadImages(model, images, { ...options, convertToRgbFirst });
  for await (const { features } of embedLoadedImages(model, loaded, { ...options, normalize: true })) {
    values.set(await features.data<"float32">(), at);
    at += features.size;
    features.dispose();
  }
  return { values, rows: images.length, width };
}

/** @param images normalised features of the pairs' images @param epoch epochs that are done */
export async function validate(
  model: Clip,
  pairs: Pairs,
  images: Rows,
  { batchSize, epoch }: { readonly batchSize: number; readonly epoch: number },
): Promise<Metrics> {
  const tokenizer = await model.tokenizer();
  const { width, rows } = images;
  const captions = new Float32Array(images.values.length);
  let total = 0;
  for (let start = 0; start < rows; start += batchSize) {
    const texts = pairs.captions.slice(start, start + batchSize).map((caption) => tokenizer.encode(caption));
    const features = await model.encodeTokens(texts, { normalize: true });
    captions.set(await features.data<"float32">(), start * width);
    const loss = tidy(() => {
      const own = images.values.subarray(start * width, (start + texts.length) * width);
      const batch = tensor2d(own, [texts.length, width]);
      return contrastiveLoss({ images: batch, texts: features, logitScale: model.logitScale.tensor });
    });
    total += (await loss.data<"float32">())[0]! * texts.length;
    features.dispose();
    loss.dispose();
  }
  const ranks = await rankMetrics(images, { values: captions, rows, width });
  return { ...ranks, clip_val_loss: total / rows, epoch, num_samples: rows };
}

/** Ranks of the right texts and images, where text i belongs to image i. Both are normalised. */
export async function rankMetrics(images: Rows, texts: Rows): Promise<Metrics> {
  const imageOf = Int32Array.from({ length: images.rows }, (_, i) => i);
  const { captionOfImage, imageOfCaption } = await retrievalRanks(images, texts, imageOf);
  return { ...metricsOf("image_to_text", captionOfImage), ...metricsOf("text_to_image", imageOfCaption) };
}

function metricsOf(name: string, { ranks }: Ranks): Metrics {
  const sorted = [...ranks].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  const shares = [1, 5, 10].map((k): [string, number] => [
    `${name}_R@${k}`,
    sorted.filter((rank) => rank < k).length / sorted.length,
  ]);
  return {
    [`${name}_mean_rank`]: sorted.reduce((sum, rank) => sum + rank, 0) / sorted.length + 1,
    [`${name}_median_rank`]: Math.floor(median) + 1,
    ...Object.fromEntries(shares),
  };
}

/** Zero-shot accuracy under open_clip's names, whatever the dataset. */
export async function zeroShot(model: Clip, dataset: Dataset, batchSize: number): Promise<Metrics> {
  const { metrics } = await evaluate(model, dataset, { batchSize });
  const top: Metrics = {};
  for (const k of [1, 5]) {
    const accuracy = metrics[`acc${k}`];
    if (typeof accuracy === "number") top[`imagenet-zeroshot-val-top${k}`] = accuracy;
  }
  return top;
}
