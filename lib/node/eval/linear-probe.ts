/**
 * CLIP_benchmark's linear probe on a dataset: fitted on the embeddings of one split, measured on those of another.
 *
 * Source: CLIP_benchmark, metrics/linear_probe.py, evaluate. `lib/probe` has the recipe; this file composes it with the
 * cached embeddings of evaluations.
 */
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { ClassificationDataset, Dataset } from "../../eval/dataset.ts";
import { digestOfImages } from "../../eval/embeddings/image-digest.ts";
import { embedDatasetImages, type ImageEmbeddings } from "../../eval/embeddings/image-embeddings.ts";
import type { EvaluateOptions } from "../../eval/evaluate.ts";
import { shareError, type Evaluation } from "../../eval/evaluation.ts";
import { classFigures, confusionList, recallError } from "../../eval/tasks/classification.ts";
import { normalizeRows, requireLabels, selectRows, type LabelledFeatures } from "../../features/features.ts";
import { embeddingTap } from "../../tasks/embed-images.ts";
import { trainAdamw, type AdamwOptions } from "../../probe/adamw.ts";
import { fitAdamwProbe } from "../../probe/fit.ts";
import { Probe } from "../../probe/probe.ts";
import { takeShots } from "../../probe/shots.ts";
import { TorchRandom } from "../../tensor/torch-random.ts";
import { nameOf } from "../../tasks/image-source.ts";
import { evaluationHost } from "./host.ts";

/** The splits of a linear probe. */
export interface ProbeSplits {
  readonly train: Dataset;
  /** For the search of the weight decay; null: no search, weight decay 0. */
  readonly validation: Dataset | null;
  readonly test: Dataset;
}

/** Options under CLIP_benchmark's names. */
export interface LinearProbeOptions
  extends
    Pick<AdamwOptions, "learningRate" | "epochs" | "seed">,
    Pick<EvaluateOptions, "features" | "limit" | "batchSize" | "onImages" | "language"> {
  /** Training images per class; default: all (−1 in CLIP_benchmark). */
  readonly shots?: number;
  /** The share of the training images that become the validation split, chosen at random with the seed. */
  readonly validationProportion?: number;
}

/** @throws InputError for datasets without one class per image, and as `fitAdamwProbe` and `embedDatasetImages` */
export async function evaluateLinearProbe(
  model: Clip,
  { train, validation, test }: ProbeSplits,
  options: LinearProbeOptions = {},
): Promise<Evaluation> {
  const { epochs = 10, seed = 0, shots, language = "en" } = options;
  const trained = await embedLabelled(model, train, options);
  const validated = validation === null ? null : await embedLabelled(model, validation, options);
  const [fitted, chosenOn] =
    options.validationProportion === undefined
      ? [trained.features, validated?.features ?? null]
      : splitRows(trained.features, options.validationProportion, seed);
  const tested = await embedLabelled(model, test, options);
  const { probe, weightDecay } = fit(fitted, chosenOn, options);
  const evaluation = probe.evaluate(probe.acceptLabelled(tested.features));
  const { acc1, meanPerClassRecall, classes, confusion } = evaluation;
  const images = tested.features.rows;
  // CLIP_benchmark asks whether the largest label is 5 or more, which six classes have.
  const acc5 = tested.features.labels.some((label) => label >= 5) ? (evaluation.acc5 ?? null) : null;
  const all = [trained, ...(validated === null ? [] : [validated]), tested];
  const names = "classNames" in test ? test.classNames?.texts : undefined;
  return {
    dataset: test.name,
    layout: test.layout,
    split: test.split,
    language,
    task: "linear_probe",
    metrics: {
      lp_acc1: acc1,
      lp_acc5: acc5,
      lp_mean_per_class_recall: meanPerClassRecall,
      weight_decay: weightDecay,
      epochs,
      seed,
      fewshot_k: shots ?? -1,
      normalized: true,
    },
    standardErrors: {
      lp_acc1: shareError(acc1, images),
      lp_acc5: acc5 === null ? null : shareError(acc5, images),
      lp_mean_per_class_recall: recallError(classes),
    },
    ties: 0,
    details: {
      kind: "linear_probe",
      trainImages: trained.features.rows,
      weightDecay,
      classes: classFigures(classes, names ?? probe.classNames),
      confusions: confusionList(confusion),
    },
    prompts: null,
    texts: { texts: 0, embedded: 0 },
    images,
    datasetImages: test.images.length,
    asked: tested.embeddings.asked,
    failed: all.flatMap(({ dataset, embeddings }) =>
      embeddings.failed.map(({ image, reason }) => ({ image: nameOf(dataset.images[image]!), reason })),
    ),
    isPartial: all.some(
      ({ dataset, embeddings }) => embeddings.asked < dataset.images.length || embeddings.failed.length > 0,
    ),
    imagesSha256: await digestOfImages(evaluationHost.files, test.images.slice(0, tested.embeddings.asked)),
    featuresFile: tested.embeddings.file,
    decoded: all.reduce((sum, { embeddings }) => sum + embeddings.decoded, 0),
    sources: test.sources,
  };
}

interface Embedded {
  readonly dataset: ClassificationDataset;
  readonly embeddings: ImageEmbeddings;
  readonly features: LabelledFeatures;
}

async function embedLabelled(model: Clip, dataset: Dataset, options: LinearProbeOptions): Promise<Embedded> {
  if (dataset.kind !== "classification") {
    throw new InputError(
      `${dataset.name}: a linear probe needs images with one class each, found ${dataset.kind}`,
    );
  }
  const { onImages, ...rest } = options;
  const embeddings = await embedDatasetImages(evaluationHost, model, dataset, {
    ...rest,
    ...(onImages === undefined ? {} : { onProgress: onImages }),
  });
  const { rows, images } = embeddings;
  const labels = images.map((image): number | null => dataset.labels[image]!);
  if (labels.includes(null)) throw new InputError(`${dataset.name}: expected a class for each image`);
  const features = requireLabels({
    ...rows,
    name: `${dataset.name}, split ${dataset.split ?? "all"}`,
    labels: labels as number[],
    classNames: null,
    paths: null,
    metadata: { tap: embeddingTap, normalized: "false" },
  });
  return { dataset, embeddings, features };
}

/**
 * Source: torch.utils.data.random_split with fractions. The permutation is PyTorch's for the seed; CLIP_benchmark's comes
 * from a generator that the initialisation of the model has advanced.
 */
function splitRows(
  features: LabelledFeatures,
  proportion: number,
  seed: number,
): [train: LabelledFeatures, validation: LabelledFeatures] {
  const { rows, name } = features;
  const lengths = [Math.floor(rows * (1 - proportion)), Math.floor(rows * proportion)] as const;
  // What rounding leaves goes to the first part.
  const count = lengths[0] + (rows - lengths[0] - lengths[1]);
  if (count === 0 || count === rows) {
    throw new InputError(
      `${name}: expected a proportion that leaves images in both parts, found ${proportion} of ${rows} images`,
    );
  }
  const order = new TorchRandom(seed).permutation(rows);
  return [selectRows(features, order.slice(0, count)), selectRows(features, order.slice(count))];
}

/** With few shots the validation split only chooses the weight decay, otherwise the final fit uses it too. */
function fit(
  train: LabelledFeatures,
  validation: LabelledFeatures | null,
  { shots, learningRate, epochs, seed = 0 }: LinearProbeOptions,
): { readonly probe: Probe; readonly weightDecay: number } {
  const settings = {
    seed,
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(epochs === undefined ? {} : { epochs }),
  };
  const chosen = shots === undefined ? train : takeShots(train, shots, seed);
  const fitted = fitAdamwProbe(chosen, validation, settings);
  if (shots === undefined || validation === null) return fitted;
  const { weightDecay, probe } = fitted;
  const few = trainAdamw(normalizeRows(chosen), weightDecay, settings);
  return {
    weightDecay,
    probe: new Probe({
      name: probe.name,
      weight: Float32Array.from(few.weight),
      bias: Float32Array.from(few.bias),
      classNames: null,
      metadata: probe.metadata,
    }),
  };
}
