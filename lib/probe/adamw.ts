/**
 * CLIP_benchmark's linear probe: a linear layer on normalised features, trained with cross-entropy and AdamW. The
 * learning rate follows a cosine down to 0; each epoch takes batches of 64 in a new order; the weight decay is searched
 * on a validation split. For a given seed, the initial weights and the order of the examples are PyTorch's.
 *
 * Two parts of the original depend on the machine and are left out: matrix products in half precision (its `amp`), and
 * a shuffle of the training rows whose seed depends on the data loaders created before.
 *
 * Paper of AdamW: Loshchilov and Hutter, 2019 (arXiv 1711.05101).
 * Source: CLIP_benchmark, clip_benchmark/metrics/linear_probe.py (train, find_peak, evaluate); torch.nn.Linear
 * (initialisation) and torch.optim.AdamW (step).
 */
import { InputError } from "../errors/input-error.ts";
import { concatRows, selectRows, type LabelledFeatures } from "../features/features.ts";
import { rowsPerClass, type LinearClassifier } from "./logistic-regression.ts";
import { accuracyOf } from "./logits.ts";
import { SoftmaxLoss } from "./softmax-loss.ts";
import { TorchRandom } from "../tensor/torch-random.ts";

/** Options of `trainAdamw`. */
export interface AdamwOptions {
  /** Default: 0.1, CLIP_benchmark's. */
  readonly learningRate?: number;
  /** Default: 10. */
  readonly epochs?: number;
  /** Default: 64. */
  readonly batchSize?: number;
  /** Seeds the initial weights and the order of the examples. Default: 0. */
  readonly seed?: number;
  readonly onEpoch?: () => void;
}

/** The decays that are searched (`wd_list`): 97 values from 10⁻⁶ to 10², logarithmically spaced. */
export const weightDecays: readonly number[] = Array.from(
  { length: 97 },
  (_, i) => 10 ** (-6 + (8 * i) / 96),
);

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/**
 * Trains with one weight decay.
 *
 * @param features normalised
 * @throws InputError for a single class, or a class without rows
 */
export function trainAdamw(
  features: LabelledFeatures,
  weightDecay: number,
  { learningRate = 0.1, epochs = 10, batchSize = 64, seed = 0, onEpoch }: AdamwOptions = {},
): LinearClassifier {
  const classes = rowsPerClass(features).length;
  const { rows, width } = features;
  const weights = classes * width;
  const random = new TorchRandom(seed);
  const bound = 1 / Math.sqrt(width);
  const parameters = new Float64Array(weights + classes);
  parameters.set(random.uniform(weights, bound));
  parameters.set(random.uniform(classes, bound), weights);

  const gradient = new Float64Array(parameters.length);
  const mean = new Float64Array(parameters.length);
  const square = new Float64Array(parameters.length);
  const steps = epochs * Math.ceil(rows / batchSize);
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    onEpoch?.();
    const order = random.loaderOrder(rows);
    for (let start = 0; start < rows; start += batchSize) {
      const batch = selectRows(features, order.slice(start, start + batchSize));
      new SoftmaxLoss(batch, batch.labels, classes).evaluate(parameters, gradient);
      const rate = 0.5 * (1 + Math.cos((Math.PI * step) / steps)) * learningRate;
      step += 1;
      const meanRate = rate / (1 - beta1 ** step);
      const squareScale = Math.sqrt(1 - beta2 ** step);
      for (let i = 0; i < parameters.length; i++) {
        const slope = gradient[i]! / batch.rows;
        mean[i] = beta1 * mean[i]! + (1 - beta1) * slope;
        square[i] = beta2 * square[i]! + (1 - beta2) * slope * slope;
        const change = (meanRate * mean[i]!) / (Math.sqrt(square[i]!) / squareScale + epsilon);
        parameters[i] = parameters[i]! * (1 - rate * weightDecay) - change;
      }
    }
  }
  return { weight: parameters.slice(0, weights), bias: parameters.slice(weights) };
}

/** The decays that the search tries first, as indices (`wd_list_init`). */
const firstTried = [0, 16, 32, 48, 64, 80, 96];

/** A weight decay that the search tried, and its accuracy on the validation split. */
export interface Trial {
  readonly weightDecay: number;
  readonly accuracy: number;
}

export interface FittedAdamw extends LinearClassifier {
  readonly weightDecay: number;
  /** In the order of the search, each once; empty without a validation split. */
  readonly trials: readonly Trial[];
}

/**
 * Trains as CLIP_benchmark does. Without a validation split, the weight decay is 0; with one, it is the decay with the
 * best validation accuracy, and the final weights are trained on both splits.
 *
 * @param validation normalised, with the classes of the training features
 * @throws InputError as `trainAdamw`, and for a validation split with other classes or another width
 */
export function fitAdamw(
  features: LabelledFeatures,
  validation: LabelledFeatures | null,
  options: AdamwOptions = {},
): FittedAdamw {
  if (validation === null) return { ...trainAdamw(features, 0, options), weightDecay: 0, trials: [] };
  const classes = rowsPerClass(features).length;
  if (validation.width !== features.width || validation.labels.some((label) => label >= classes)) {
    throw new InputError(
      `${validation.name}: expected features of ${features.width} numbers and ${classes} classes, as in ${features.name}`,
    );
  }
  const accuracies = new Map<number, number>();
  const accuracyAt = (index: number): number => {
    const known = accuracies.get(index);
    if (known !== undefined) return known;
    const accuracy = accuracyOf(trainAdamw(features, weightDecays[index]!, options), validation);
    accuracies.set(index, accuracy);
    return accuracy;
  };
  // As find_peak: the first of the best; the smallest decay if all accuracies are 0.
  const peakOf = (indices: readonly number[]): number => {
    const tried = indices.map((index) => ({ index, accuracy: accuracyAt(index) }));
    const none = { index: 0, accuracy: 0 };
    return tried.reduce((best, one) => (one.accuracy > best.accuracy ? one : best), none).index;
  };

  const last = weightDecays.length - 1;
  let peak = peakOf(firstTried);
  for (let span = 8; span > 0; span = Math.floor(span / 2)) {
    peak = peakOf([Math.max(peak - span, 0), peak, Math.min(peak + span, last)]);
  }
  const weightDecay = weightDecays[peak]!;
  const trials = [...accuracies].map(([index, accuracy]) => ({
    weightDecay: weightDecays[index]!,
    accuracy,
  }));
  return { ...trainAdamw(concatRows(features, validation), weightDecay, options), weightDecay, trials };
}
