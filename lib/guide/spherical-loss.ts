/**
 * The squared angle between an image and its prompts.
 *
 * loss = mean over images of Σ_p w_p · 2 asin²(‖i − t_p‖ / 2) = mean Σ_p w_p θ_p² / 2, with the angle θ_p between the unit
 * embeddings i and t_p. Unlike the cosine, its slope grows with the angle.
 * Source: VQGAN-CLIP and its descendants, spherical_dist_loss.
 */
import {
  acos,
  clipByValue,
  customGrad,
  div,
  matMul,
  mul,
  neg,
  sqrt,
  square,
  sub,
  sum,
  tensor1d,
  tidy,
  type Scalar,
  type Tensor,
  type Tensor2D,
} from "@tensorflow/tfjs-core";

/** Unit embeddings of the prompts, and their weights. */
export interface Targets {
  /** [prompts, embedDim] */
  readonly embeddings: Tensor2D;
  readonly weights: readonly number[];
}

/** Cosines closer to 1 have no angle in float32. */
const largestCosine = 1 - 2 ** -23;

/** @param images unit embeddings [B, embedDim] */
export function sphericalLoss(images: Tensor2D, { embeddings, weights }: Targets): Scalar {
  const cosines = matMul<Tensor2D>(images, embeddings, false, true); // [B, prompts]
  const [batch] = images.shape;
  const shares = tensor1d(weights.map((weight) => weight / batch));
  return sum(mul(halfSquaredAngles(cosines), shares));
}

/** θ²/2 of cos θ, with the derivative −θ / sin θ. */
function halfSquaredAngles(cosines: Tensor2D): Tensor2D {
  const operation = customGrad((...inputs) => {
    const [given, save] = inputs as [Tensor2D, (saved: Tensor[]) => void];
    const inside = clipByValue(given, -largestCosine, largestCosine);
    save([inside]);
    return {
      value: mul<Tensor>(square(acos(inside)), 0.5),
      gradFunc: (dy: Tensor, [saved]: Tensor[]) =>
        tidy(() => mul(dy, neg(div(acos(saved!), sqrt(sub(1, square(saved!))))))),
    };
  });
  return operation(cosines) as Tensor2D;
}
