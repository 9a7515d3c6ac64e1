/** Linear probes: fits one on features while the page watches, and classifies images with it. */
import { requireLabels, type LabelledFeatures, type Metadata } from "../../features/features.ts";
import { crossValidate, type CrossValidation } from "../../probe/cross-validate.ts";
import { fitProbe } from "../../probe/fit.ts";
import { smallestClass } from "../../probe/folds.ts";
import { rowsPerClass } from "../../probe/logistic-regression.ts";
import { accuracyOf } from "../../probe/logits.ts";
import { predictImages, type PredictHost } from "../../probe/predict.ts";
import { decodeProbe, encodeProbe } from "../../probe/probe-file.ts";
import type { NamedImage } from "../../tasks/image-source.ts";
import { BytesSource } from "../../tensor/bytes-source.ts";
import type { Answer } from "../answer.ts";
import { loadImages } from "../load-images.ts";
import type { NamedBytes } from "../results.ts";

export interface FitParams {
  /** [rows, width] */
  readonly values: Float32Array;
  /** The class of each row. */
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
  readonly metadata: Metadata;
  /** Inverse of the penalty's strength. */
  readonly C: number;
}

/** One iteration of L-BFGS. */
export interface FitProgress {
  readonly loss: number;
  /** On the training rows. */
  readonly accuracy: number;
}

export interface FittedLinearProbe {
  readonly iterations: number;
  readonly converged: boolean;
  readonly trainingAccuracy: number;
  /** On folds that are held out; null if a class has a single row. */
  readonly heldOut: CrossValidation | null;
  /** A probe file, as `clipscope probe fit` writes it. */
  readonly file: Uint8Array;
}

/** As many folds as the smallest class has rows, but at most this many. */
const mostFolds = 5;

/**
 * Fits a probe by logistic regression on all rows, and measures the recipe on folds. Sends each iteration.
 *
 * @throws InputError as `fitProbe`
 */
export const fitLinearProbe: Answer<FitParams, FittedLinearProbe, FitProgress> = async (
  _,
  { values, labels, classNames, metadata, C },
  { update },
) => {
  const rows = labels.length;
  const features: LabelledFeatures = requireLabels({
    name: "the classes",
    values,
    rows,
    width: values.length / Math.max(rows, 1),
    labels,
    classNames,
    paths: null,
    metadata,
  });
  const { probe, iterations, converged, trainingAccuracy } = fitProbe(features, {
    C,
    onIteration: (_iteration, { loss, classifier }) => {
      update({ loss, accuracy: accuracyOf(classifier(), features) });
    },
  });
  const canHoldOut = rowsPerClass(features).every((count) => count > 1);
  const heldOut = canHoldOut
    ? await crossValidate(
        features,
        Math.min(smallestClass(features), mostFolds),
        (train) => fitProbe(train, { C }).probe,
      )
    : null;
  return { iterations, converged, trainingAccuracy, heldOut, file: encodeProbe(probe) };
};

export interface PredictParams {
  /** A probe file. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly images: readonly NamedBytes[];
}

export interface ProbePredictions {
  readonly classes: readonly string[];
  readonly tap: string;
  /** [images][classes]; null for an image that cannot be read. */
  readonly probabilities: readonly (readonly number[] | null)[];
}

/**
 * Classifies images with a probe, which embeds them as its training images were.
 *
 * @throws InputError for a file that is not a probe, and for a probe of another model, preprocessing or of texts
 */
export const predictByProbe: Answer<PredictParams, ProbePredictions> = async (
  passes,
  { name, bytes, images },
  { signal, progress },
) => {
  const probe = await decodeProbe(new BytesSource(name, bytes));
  const host: PredictHost = {
    ...passes.naming,
    loadImages: (_model, given, options) => {
      const files = [...given].map((image) => {
        const { name: file, content } = image as NamedImage;
        return { name: file, bytes: content as Uint8Array };
      });
      return loadImages(passes, files, options, signal);
    },
  };
  const probabilities: (number[] | null)[] = images.map(() => null);
  const failed = new Set<number>();
  const inputs = images.map(({ name: file, bytes: content }) => ({ name: file, content }));
  const predictions = predictImages(host, passes.model, probe, inputs, {
    onError: (_error, _path, index) => {
      failed.add(index);
    },
    onProgress: (done) => {
      progress(done, images.length);
    },
  });
  const scores: number[][] = [];
  for await (const batch of predictions) {
    for (const { scores: sorted } of batch) {
      const of = new Map(sorted.map(({ label, probability }) => [label, probability]));
      scores.push(probe.classNames.map((label) => of.get(label)!));
    }
  }
  for (const [index] of images.entries())
    if (!failed.has(index)) probabilities[index] = scores.shift() ?? null;
  return { classes: probe.classNames, tap: probe.metadata["tap"] ?? "visual", probabilities };
};
