/**
 * Tip-Adapter-F: Tip-Adapter with trained keys. Cross-entropy on the training examples, AdamW, a cosine to 0 over all
 * steps. The original keeps the epoch that is best on the test set; here a validation split decides.
 *
 * For a given seed, the order of the examples is PyTorch's.
 * Paper: arXiv 2207.09519. Source: Tip-Adapter, main_imagenet.py, run_tip_adapter_F.
 */
import {
  add,
  matMul,
  mul,
  softmax,
  sub,
  tensor2d,
  tidy,
  transpose,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { normalizeRows, selectRows, type LabelledFeatures } from "../features/features.ts";
import { adamStep, disposeAdam, startAdam } from "../tensor/adam.ts";
import { oneHotLabels, votes } from "./feature-cache.ts";
import { accuracyOf } from "./logits.ts";
import { searchFactors, tipAdapter, type CacheFactors, type FoundFactors } from "./tip-adapter.ts";
import { TorchRandom } from "../tensor/torch-random.ts";
import type { TextHead } from "./zero-shot-head.ts";

/** How the keys of a cache are trained. */
export interface TipTrainingOptions {
  /** Default: 20. */
  readonly epochs?: number;
  /** Default: 0.001. */
  readonly learningRate?: number;
  /** Default: 256. */
  readonly batchSize?: number;
  /** Of the training; they are searched afterwards. Default: α 1.17, β 1. */
  readonly factors?: CacheFactors;
  /** Of the search. Default: `largestFactors`. */
  readonly largest?: CacheFactors;
  /** Of the order of the examples. Default: 0. */
  readonly seed?: number;
  readonly onStep?: (done: number, all: number) => void;
}

/** torch.optim.AdamW's defaults, but ε, which is Tip-Adapter's. */
const adamw = { beta1: 0.9, beta2: 0.999, epsilon: 1e-4, weightDecay: 0.01 };

/**
 * Trains the keys.
 *
 * @param features normalised
 * @param onEpoch receives the keys after each epoch [N, width]
 */
export function trainKeys(
  features: LabelledFeatures,
  head: TextHead,
  onEpoch: (keys: Float32Array) => void,
  options: TipTrainingOptions = {},
): void {
  const { epochs = 20, learningRate = 1e-3, batchSize = 256, seed = 0 } = options;
  const { alpha, beta } = options.factors ?? { alpha: 1.17, beta: 1 };
  const { rows, width, labels } = features;
  const classes = head.embeddings.length / width;
  const weight = tidy(() => mul(tensor2d(head.embeddings, [classes, width]), head.scale)); // [classes, width]
  const values = oneHotLabels(labels, classes); // [N, classes]
  let state = startAdam<Tensor2D>(tensor2d(features.values.slice(), [rows, width]));
  const random = new TorchRandom(seed);
  const steps = epochs * Math.ceil(rows / batchSize);
  let step = 0;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = random.loaderOrder(rows);
      for (let start = 0; start < rows; start += batchSize) {
        const batch = selectRows(features, order.slice(start, start + batchSize));
        const rate = 0.5 * (1 + Math.cos((Math.PI * step) / steps)) * learningRate;
        step += 1;
        const before = state;
        const gradient = tidy(() => {
          const x = tensor2d(batch.values, [batch.rows, width]);
          const cached = votes(matMul<Tensor2D>(x, before.values, false, true), beta); // [B, N]
          const logits = add<Tensor2D>(matMul(x, weight, false, true), mul(matMul(cached, values), alpha)); // [B, classes]
          const residuals = sub<Tensor2D>(softmax(logits), oneHotLabels(batch.labels, classes)); // [B, classes]
          // ∂loss/∂(x Kᵀ) = α β · votes · residuals Vᵀ / B
          const votesOfResiduals = mul<Tensor2D>(cached, matMul(residuals, values, false, true)); // [B, N]
          return matMul<Tensor2D>(transpose(mul(votesOfResiduals, (alpha * beta) / batch.rows)), x); // [N, width]
        });
        state = adamStep(before, gradient, step, { ...adamw, rate });
        gradient.dispose();
        disposeAdam(before);
        options.onStep?.(step, steps);
      }
      onEpoch(new Float32Array(state.values.dataSync<"float32">()));
    }
  } finally {
    disposeAdam(state);
    for (const tensor of [weight, values]) tensor.dispose();
  }
}

/**
 * Tip-Adapter-F: the keys of the epoch that is best on the validation split, and then the factors that are.
 *
 * @param validation with the classes of the features; never the test split
 */
export function fitTipAdapterF(
  features: LabelledFeatures,
  head: TextHead,
  validation: LabelledFeatures,
  options: TipTrainingOptions = {},
): {
  readonly classifier: ReturnType<typeof tipAdapter>;
  readonly found: FoundFactors;
  /** The best epoch, from 1, and the accuracies on the validation split after each. */
  readonly epoch: number;
  readonly accuracies: readonly number[];
} {
  const train = normalizeRows(features);
  const held = normalizeRows(validation);
  const factors = options.factors ?? { alpha: 1.17, beta: 1 };
  const accuracies: number[] = [];
  let best = { accuracy: -1, epoch: 0, keys: train.values };
  trainKeys(
    train,
    head,
    (keys) => {
      const accuracy = accuracyOf(tipAdapter(train, head, factors, keys), held);
      accuracies.push(accuracy);
      if (accuracy > best.accuracy) best = { accuracy, epoch: accuracies.length, keys };
    },
    options,
  );
  const found = searchFactors(tipAdapter(train, head, factors, best.keys), held, options);
  return {
    classifier: tipAdapter(train, head, found, best.keys),
    found,
    epoch: best.epoch,
    accuracies,
  };
}
