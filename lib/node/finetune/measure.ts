/** Accuracy and cross-entropy of a classifier on images whose streams are cached. */
import type { Clip } from "../../clip/clip.ts";
import { best } from "../../tasks/confusions.ts";
import { disposing } from "../../tensor/disposing.ts";
import { ClassifierHead, type LinearValues } from "../../train/classifier-head.ts";
import type { StreamCache } from "./stream-cache.ts";

/** Images with labels, and their streams. */
export interface CachedImages {
  readonly labels: readonly number[];
  readonly streams: StreamCache;
}

export interface Measured {
  readonly accuracy: number;
  readonly loss: number;
}

/** @param block that takes the streams */
export async function measure(
  model: Clip,
  { labels, streams }: CachedImages,
  classifier: ClassifierHead,
  { block, batchSize }: { readonly block: number; readonly batchSize: number },
): Promise<Measured> {
  let right = 0;
  let loss = 0;
  for (let start = 0; start < labels.length; start += batchSize) {
    const batch = labels.slice(start, start + batchSize);
    const stream = await streams.read(batch.map((_, i) => start + i));
    const features = await disposing(stream, () => model.resumeImage({ block, stream }, { normalize: true }));
    const tensor = await disposing(features, () => Promise.resolve(classifier.logits(features)));
    const logits = await disposing(tensor, (values) => values.data<"float32">());
    const classes = logits.length / batch.length;
    for (const [i, label] of batch.entries()) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      if (best(row) === label) right += 1;
      const most = Math.max(...row);
      const total = row.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
      loss += Math.log(total) + most - row[label]!;
    }
  }
  return { accuracy: right / labels.length, loss: loss / labels.length };
}

/** The classifier of a zero-shot head. @param embeddings [classes, width], of norm 1 */
export function zeroShotValues(embeddings: Float32Array, scale: number, classes: number): LinearValues {
  return { weight: embeddings.map((value) => value * scale), bias: new Float32Array(classes) };
}
