/** Adapters of the zero-shot classifier, as probes. */
import { InputError } from "../errors/input-error.ts";
import { normalizeRows, type LabelledFeatures } from "../features/features.ts";
import { probeOf, type FittedProbe } from "./fit.ts";
import { rowsPerClass } from "./logistic-regression.ts";
import { accuracyOf, type Linear } from "./logits.ts";
import { fitTipAdapter, tipAdapter, type CacheFactors } from "./tip-adapter.ts";
import { fitTipAdapterF, type TipTrainingOptions } from "./tip-adapter-f.ts";
import { fitZeroShotHead, type FittedHead, type TextHead } from "./zero-shot-head.ts";

/** The methods that adapt a zero-shot classifier to few examples. */
export const adaptMethods = ["head", "tip-adapter", "tip-adapter-f"] as const;

/** The name of a method. */
export type AdaptMethod = (typeof adaptMethods)[number];

/** Options of `adapt`. */
export interface AdaptOptions extends Pick<
  TipTrainingOptions,
  "epochs" | "learningRate" | "batchSize" | "seed" | "largest"
> {
  /** Of the head. Default: chosen on held-out rows. */
  readonly penalty?: number;
  /** Of Tip-Adapter: no search. Of Tip-Adapter-F: those of the training. */
  readonly factors?: CacheFactors;
  readonly onProgress?: (done: number, all: number, unit: string) => void;
}

/** An adapter as a probe, and what was chosen. */
export interface Adapted extends FittedProbe {
  /** What the method chose, and on which figures. */
  readonly chosen: Readonly<Record<string, unknown>>;
  /** Accuracies on the validation split: of the zero-shot classifier, and of the adapter; null without one. */
  readonly validation: { readonly zeroShot: number; readonly adapted: number } | null;
}

/**
 * Adapts the zero-shot classifier to labelled features.
 *
 * @param head of the features' classes; `textHead` makes it
 * @param validation with the same classes, which decides what the method leaves open; never the test split
 * @throws InputError for a class without rows, or if the method needs a validation split
 */
export function adapt(
  features: LabelledFeatures,
  head: TextHead,
  method: AdaptMethod,
  validation: LabelledFeatures | null,
  options: AdaptOptions = {},
): Adapted {
  rowsPerClass(features);
  const train = normalizeRows(features);
  const held = validation && normalizeRows(validation);
  const { classifier, settings, chosen } = fitted(train, head, method, held, options);
  const { measure } = probeOf(train, classifier, method, { ...settings, ...chosen });
  const zeroShot = { weight: head.embeddings, bias: classifier.bias };
  return {
    ...measure(),
    chosen,
    validation: held && { zeroShot: accuracyOf(zeroShot, held), adapted: accuracyOf(classifier, held) },
  };
}

interface FittedAdapter {
  readonly classifier: Linear;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly chosen: Readonly<Record<string, unknown>>;
}

function fitted(
  train: LabelledFeatures,
  head: TextHead,
  method: AdaptMethod,
  held: LabelledFeatures | null,
  options: AdaptOptions,
): FittedAdapter {
  const { onProgress, factors, largest, penalty } = options;
  if (method === "head") {
    const classifier: FittedHead = fitZeroShotHead(train, head, held, {
      ...(penalty !== undefined && { penalty }),
      onFit: (done, all) => onProgress?.(done, all, "fits"),
    });
    return { classifier, settings: {}, chosen: { penalty: classifier.penalty, trials: classifier.trials } };
  }
  if (held === null && (method === "tip-adapter-f" || factors === undefined)) {
    throw new InputError(
      `${train.name}: ${method} chooses ${method === "tip-adapter" ? "alpha and beta" : "the epoch, alpha and beta"} ` +
        "on a validation split, and none is given; embed images that are neither for training nor for the test",
    );
  }
  if (method === "tip-adapter") {
    if (factors !== undefined)
      return { classifier: tipAdapter(train, head, factors), settings: factors, chosen: {} };
    const { classifier, found } = fitTipAdapter(train, head, held!, {
      ...(largest && { largest }),
      onProgress: (done, all) => onProgress?.(done, all, "values of beta"),
    });
    return { classifier, settings: {}, chosen: { alpha: found.alpha, beta: found.beta } };
  }
  const { epochs = 20, learningRate = 1e-3, batchSize = 256, seed = 0 } = options;
  const settings = { epochs, learningRate, batchSize, seed };
  const { classifier, found, epoch, accuracies } = fitTipAdapterF(train, head, held!, {
    ...settings,
    ...(factors && { factors }),
    ...(largest && { largest }),
    onStep: (done, all) => onProgress?.(done, all, "steps"),
  });
  return { classifier, settings, chosen: { alpha: found.alpha, beta: found.beta, epoch, accuracies } };
}
