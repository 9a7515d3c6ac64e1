/**
 * What a saliency map explains: a score that is linear in the normalised embedding, score = î · d.
 *
 * For an image, d is made of text embeddings; for a text, of image embeddings.
 */
import {
  gather,
  matMul,
  mean,
  mul,
  slice,
  sub,
  sum,
  tensor1d,
  tidy,
  type Scalar,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { InputError } from "../../errors/input-error.ts";

/**
 * The direction of one label.
 *
 * @param features [labels, embedDim], normalised: the text embeddings, or a classifier's weight, transposed
 * @param label its row
 * @param against whether the score is the label's cosine minus the mean of the other labels' (what speaks for this label
 *   and not for the others), or the label's cosine alone
 * @returns [1, embedDim]; the caller disposes it
 * @throws InputError for a row that is not there, or a single label that has no others
 */
export function labelDirection(features: Tensor2D, label: number, against: boolean): Tensor2D {
  const [labels, width] = features.shape;
  if (!(Number.isInteger(label) && label >= 0 && label < labels)) {
    throw new InputError(`label ${label}: expected one from 0 to ${labels - 1}`);
  }
  if (against && labels < 2)
    throw new InputError("expected at least two labels, to set one against the others");
  return tidy(() => {
    const own = slice(features, [label, 0], [1, width]);
    if (!against) return own;
    const others = Array.from({ length: labels }, (_, i) => i).filter((i) => i !== label);
    return sub<Tensor2D>(own, mean(gather(features, tensor1d(others, "int32")), 0, true));
  });
}

/** The sum of the scores of all inputs, for gradients: each input's gradient is that of its own score. */
export function scoreSum(features: Tensor2D, direction: Tensor2D): Scalar {
  return sum(mul(features, direction));
}

/** The score of each input. @param features [B, embedDim], normalised; disposed */
export async function scoresOf(features: Promise<Tensor2D>, direction: Tensor2D): Promise<Float32Array> {
  const embedded = await features;
  const scores = tidy(() => matMul(embedded, direction, false, true)); // [B, 1]
  embedded.dispose();
  try {
    return Float32Array.from(await scores.data<"float32">());
  } finally {
    scores.dispose();
  }
}
