/**
 * One step of contrastive training: gradients of the loss over one or several batches, an update of the weights, and the
 * logit scale kept between 0 and ln 100.
 *
 * Several batches (accumulation) give the gradients of one batch of their size in the memory of one: all features are
 * computed first without gradients, then each batch runs again with its own features in place among the others. As in
 * open_clip, the logit scale then gets its gradient once for each batch.
 *
 * Source: open_clip_train/train.py, train_one_epoch.
 */
import { clipByValue, concat, tidy, type Scalar, type Tensor2D, type Tensor4D } from "@tensorflow/tfjs-core";
import { backward } from "../clip/backward.ts";
import type { Clip } from "../clip/clip.ts";
import { contrastiveLoss, type LossInputs } from "../clip/loss.ts";
import { withDropout, type DropoutShares } from "./dropout.ts";
import { clipNorm, type CollectedGradients, type Optimizer } from "./optimizer.ts";
import { trainingReceivers } from "./receivers.ts";

/** Pairs of images and texts. The caller disposes the tensors. */
export interface PairBatch {
  /** Pixels [B, 3, H, W], or normalised features [B, embedDim] of a locked image tower. */
  readonly images: { readonly pixels: Tensor4D } | { readonly features: Tensor2D };
  /** Token ids of the texts. */
  readonly rows: readonly (readonly number[])[];
}

/** Settings of one step. */
export interface StepOptions {
  /** Learning rate. */
  readonly rate: number;
  /** The largest norm of the gradient; null for any. */
  readonly clipNorm: number | null;
  readonly dropout: { readonly shares: DropoutShares; readonly seed: number };
  /** Texts that run together, of similar length (`BackwardOptions`). Default: all of a batch. */
  readonly textsAtOnce?: number;
  /** Keep activations in place of computing blocks again (`BackwardOptions`). Default: false */
  readonly keepsActivations?: boolean;
  /** Default: `contrastiveLoss` */
  readonly loss?: (inputs: LossInputs) => Scalar;
  /** The logit scale is kept at or below this. Default: ln 100 */
  readonly largestScale?: number;
}

/** What a step has computed. */
export interface StepResult {
  /** Before the update; the last batch's. */
  readonly loss: number;
  /** Of the gradient before it was clipped; null if it was not. */
  readonly norm: number | null;
}

/**
 * Does one step.
 *
 * @param batches several for accumulation
 * @throws LossNotFinite before anything is changed
 */
export async function trainStep(
  model: Clip,
  optimizer: Optimizer,
  batches: readonly PairBatch[],
  options: StepOptions,
): Promise<StepResult> {
  const { rate, clipNorm: mostNorm, loss = contrastiveLoss, largestScale = Math.log(100) } = options;
  const { shares, seed } = options.dropout;
  const { textsAtOnce, keepsActivations = false } = options;
  const passes = batches.length === 1 ? 1 : 2 * batches.length;
  const firstPass = optimizer.step * passes;
  const collected: CollectedGradients | null = batches.length > 1 || mostNorm !== null ? new Map() : null;
  const features: Features[] = [];
  try {
    for (const [j, batch] of batches.length > 1 ? batches.entries() : []) {
      const pass = { seed, pass: firstPass + j, batches: textBatches(batch, textsAtOnce) };
      features.push(await withDropout(shares, pass, () => featuresOf(model, batch, textsAtOnce)));
    }
    let last = NaN;
    if (!collected) optimizer.begin(rate);
    for (const [j, batch] of batches.entries()) {
      const among = ({ images, texts, logitScale }: LossInputs): Scalar => {
        const own = { images: images ?? featuresIn(batch), texts: texts! };
        const all = features.map((other, i) => (i === j ? own : other));
        return loss({ ...(all.length > 0 ? joined(all) : own), logitScale });
      };
      const sources = { rows: batch.rows, ...("pixels" in batch.images && { pixels: batch.images.pixels }) };
      const number = firstPass + passes - batches.length + j;
      const pass = { seed, pass: number, batches: textBatches(batch, textsAtOnce) };
      const how = { keepsActivations, ...(textsAtOnce !== undefined && { textsAtOnce }) };
      last = await withDropout(shares, pass, () =>
        backward(model, sources, among, trainingReceivers(optimizer, collected), how),
      );
    }
    let norm: number | null = null;
    if (collected) {
      if (mostNorm !== null) norm = await clipNorm(collected, mostNorm);
      optimizer.begin(rate);
      optimizer.applyAll(collected);
    }
    model.logitScale.assign(tidy(() => clipByValue(model.logitScale.tensor, 0, largestScale)));
    return { loss: last, norm };
  } finally {
    for (const { images, texts } of features) for (const tensor of [images, texts]) tensor.dispose();
    for (const gradient of collected?.values() ?? []) gradient.dispose();
  }
}

interface Features {
  readonly images: Tensor2D;
  readonly texts: Tensor2D;
}

const textBatches = ({ rows }: PairBatch, size = rows.length): number => Math.ceil(rows.length / size);

/** The features of a batch, without gradients. */
async function featuresOf(model: Clip, batch: PairBatch, textsAtOnce = batch.rows.length): Promise<Features> {
  const normalize = true;
  const images =
    "pixels" in batch.images
      ? await model.encodeImage(batch.images.pixels, { normalize })
      : batch.images.features.clone();
  const texts = await model.encodeTokens(batch.rows, { normalize, batchSize: textsAtOnce });
  return { images, texts };
}

const featuresIn = ({ images }: PairBatch): Tensor2D | null =>
  "features" in images ? images.features : null;

function joined(all: readonly { images: Tensor2D | null; texts: Tensor2D }[]): Features {
  return {
    images: concat(
      all.map(({ images }) => images!),
      0,
    ),
    texts: concat(
      all.map(({ texts }) => texts),
      0,
    ),
  };
}
