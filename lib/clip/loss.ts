/**
 * CLIP's contrastive loss: the cross-entropy of each image among the texts and of each text among the images, where
 * image i belongs to text i.
 *
 * Paper: Radford et al., 2021 (arXiv 2103.00020), figure 3. Source: open_clip/loss.py, ClipLoss.
 */
import {
  add,
  cast,
  exp,
  logSoftmax,
  matMul,
  mean,
  mul,
  neg,
  oneHot,
  range,
  sum,
  transpose,
} from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";

/** What a loss is computed from. Both embeddings are normalised; null without their inputs. */
export interface LossInputs {
  /** [B, embedDim] */
  readonly images: Tensor2D | null;
  /** [T, embedDim] */
  readonly texts: Tensor2D | null;
  /** logit_scale, before exp. */
  readonly logitScale: Tensor;
}

/** @throws InputError unless there are as many images as texts */
export function contrastiveLoss({ images, texts, logitScale }: LossInputs): Scalar {
  if (images?.shape[0] !== texts?.shape[0] || !images || !texts) {
    throw new InputError("contrastiveLoss: expected pairs, that is, as many images as texts");
  }
  const logits = mul<Tensor2D>(exp(logitScale), matMul(images, texts, false, true)); // [B, B]
  const pairs = cast(oneHot(range(0, images.shape[0], 1, "int32"), images.shape[0]), "float32");
  const crossEntropy = (scores: Tensor2D): Scalar => mean(neg(sum(mul(logSoftmax(scores), pairs), -1)));
  return mul(add(crossEntropy(logits), crossEntropy(transpose(logits))), 0.5);
}
