/**
 * Tip-Adapter: the zero-shot classifier plus a cache of the training examples, whose weight α and sharpness β are
 * searched on a validation split. Nothing is trained.
 *
 * Its original averages ten augmented views of each example; here the keys are the features as they are. Its scale is
 * fixed at 100; here it is the model's.
 * Paper: arXiv 2207.09519. Source: Tip-Adapter, utils.py, search_hp.
 */
import { matMul, tensor2d, tidy, type Tensor2D } from "@tensorflow/tfjs-core";
import { normalizeRows, type LabelledFeatures } from "../features/features.ts";
import { ClassificationCounts } from "../tasks/metrics.ts";
import { oneHotLabels, votes, type FeatureCache } from "./feature-cache.ts";
import type { Linear } from "./logits.ts";
import type { TextHead } from "./zero-shot-head.ts";

/** α and β. */
export type CacheFactors = Pick<FeatureCache, "alpha" | "beta">;

/** How many values of each are tried, as in the original. */
const tried = { alpha: 20, beta: 200 };

/** The largest that are tried. The original has a pair for each dataset, from 3 and 7 (ImageNet) to 50; these are SUN397's. */
export const largestFactors: CacheFactors = { alpha: 10, beta: 12 };

const grid = (largest: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i * (largest - 0.1)) / count + 0.1);

/** The classifier with a cache. @param features normalised; the keys */
export function tipAdapter(
  features: LabelledFeatures,
  { embeddings, scale }: TextHead,
  factors: CacheFactors,
  keys = features.values,
): Linear & { readonly cache: FeatureCache } {
  const weight = embeddings.map((value) => scale * value);
  const bias = new Float32Array(embeddings.length / features.width);
  return { weight, bias, cache: { keys, labels: features.labels, ...factors } };
}

/** Options of `searchFactors`. */
export interface SearchOptions {
  /** Default: `largestFactors`. */
  readonly largest?: CacheFactors;
  readonly onProgress?: (done: number, all: number) => void;
}

/** The best factors of a search, and their accuracy. */
export interface FoundFactors extends CacheFactors {
  readonly accuracy: number;
}

/**
 * Searches α and β on a validation split: the first of the best, as β and then α grow.
 *
 * @param validation normalised, with the classes of the cache; never the test split
 */
export function searchFactors(
  { weight, bias, cache }: Linear & { readonly cache: FeatureCache },
  validation: LabelledFeatures,
  { largest = largestFactors, onProgress }: SearchOptions = {},
): FoundFactors {
  const { rows, width, labels } = validation;
  const classes = bias.length;
  const classWeights = tensor2d(Float32Array.from(weight), [classes, width]);
  const keys = tensor2d(cache.keys, [cache.labels.length, width]);
  const values = oneHotLabels(cache.labels, classes); // [N, classes]
  const x = tensor2d(validation.values, [rows, width]);
  const zeroShot = matMul<Tensor2D>(x, classWeights, false, true); // [rows, classes]
  const affinity = matMul<Tensor2D>(x, keys, false, true); // [rows, N]
  const base = zeroShot.dataSync<"float32">();
  let best: FoundFactors = { alpha: 0, beta: 0, accuracy: 0 };
  const alphas = grid(largest.alpha, tried.alpha);
  for (const [i, beta] of grid(largest.beta, tried.beta).entries()) {
    const ofCache = tidy(() => matMul<Tensor2D>(votes(affinity, beta), values)); // [rows, classes]
    const cached = ofCache.dataSync<"float32">();
    ofCache.dispose();
    for (const alpha of alphas) {
      const counts = new ClassificationCounts(classes);
      counts.add(
        base.map((logit, at) => logit + alpha * cached[at]!),
        labels,
      );
      const accuracy = counts.metrics().acc1;
      if (accuracy > best.accuracy) best = { alpha, beta, accuracy };
    }
    onProgress?.(i + 1, tried.beta);
  }
  for (const tensor of [classWeights, keys, values, x, zeroShot, affinity]) tensor.dispose();
  return best;
}

/** Tip-Adapter with searched factors. @throws InputError as `normalizeRows` */
export function fitTipAdapter(
  features: LabelledFeatures,
  head: TextHead,
  validation: LabelledFeatures,
  options?: SearchOptions,
): { readonly classifier: ReturnType<typeof tipAdapter>; readonly found: FoundFactors } {
  const train = normalizeRows(features);
  const found = searchFactors(
    tipAdapter(train, head, { alpha: 1, beta: 1 }),
    normalizeRows(validation),
    options,
  );
  return { classifier: tipAdapter(train, head, found), found };
}
