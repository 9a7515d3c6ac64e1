/**
 * Tip-Adapter's cache: labelled examples that vote for their classes by their similarity.
 *
 * logits = α · exp(−β (1 − f Kᵀ)) V, with the normalised feature f, the keys K and the one-hot labels V.
 * Paper: Zhang et al., "Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification", 2022
 * (arXiv 2207.09519), equations 3 to 5. Source: Tip-Adapter, main_imagenet.py, run_tip_adapter.
 */
import {
  cast,
  exp,
  matMul,
  mul,
  oneHot,
  sub,
  tensor1d,
  tensor2d,
  tidy,
  type Tensor2D,
} from "@tensorflow/tfjs-core";

/** The few-shot features that Tip-Adapter compares an image with. */
export interface FeatureCache {
  /** [N, width] in row-major order */
  readonly keys: Float32Array;
  /** The class of each key [N]. */
  readonly labels: readonly number[];
  /** The weight of the cache. */
  readonly alpha: number;
  /** How fast a key's vote falls with its distance. */
  readonly beta: number;
}

/** exp(−β (1 − affinity)) */
export function votes(affinity: Tensor2D, beta: number): Tensor2D {
  return tidy(() => exp(mul<Tensor2D>(sub(affinity, 1), beta)));
}

/** The one-hot labels. [N, classes] */
export function oneHotLabels(labels: readonly number[], classes: number): Tensor2D {
  return tidy(() => cast(oneHot(tensor1d([...labels], "int32"), classes) as Tensor2D, "float32"));
}

/** A cache with its tensors on the current backend. */
export class LoadedCache {
  readonly #keys: Tensor2D;
  readonly #values: Tensor2D;
  readonly #alpha: number;
  readonly #beta: number;

  constructor({ keys, labels, alpha, beta }: FeatureCache, classes: number) {
    this.#keys = tensor2d(keys, [labels.length, keys.length / labels.length]);
    this.#values = oneHotLabels(labels, classes);
    this.#alpha = alpha;
    this.#beta = beta;
  }

  /** @param x [rows, width] @returns [rows, classes] */
  logits(x: Tensor2D): Tensor2D {
    return tidy(() => {
      const affinity = matMul<Tensor2D>(x, this.#keys, false, true); // [rows, N]
      return mul<Tensor2D>(matMul(votes(affinity, this.#beta), this.#values), this.#alpha);
    });
  }

  dispose(): void {
    this.#keys.dispose();
    this.#values.dispose();
  }
}
