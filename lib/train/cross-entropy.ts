/**
 * Cross-entropy with label smoothing: the mean over rows of −Σ_c q_c log p_c, where q is 1 − s for the true class, plus
 * s / classes for every class.
 *
 * Paper: Szegedy et al., "Rethinking the Inception Architecture", 2016 (arXiv 1512.00567), section 7.
 * Source: wise-ft, src/models/utils.py, LabelSmoothing; torch.nn.CrossEntropyLoss.
 */
import { add, cast, logSoftmax, mean, mul, neg, oneHot, sum, tensor1d } from "@tensorflow/tfjs-core";
import type { Scalar, Tensor2D } from "@tensorflow/tfjs-core";

/**
 * The mean cross-entropy of logits.
 *
 * @param logits [B, classes]
 * @param labels of the B rows
 * @param smoothing s; default: none
 */
export function crossEntropy(logits: Tensor2D, labels: readonly number[], smoothing = 0): Scalar {
  const classes = logits.shape[1];
  const truth = cast(oneHot(tensor1d([...labels], "int32"), classes), "float32");
  const wanted = smoothing === 0 ? truth : add(mul(truth, 1 - smoothing), smoothing / classes);
  return mean(neg(sum(mul(logSoftmax(logits), wanted), -1)));
}
