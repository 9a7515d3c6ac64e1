/** Evaluates a model on a dataset, with CLIP_benchmark's figures. */
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import type { Rows } from "../features/features.ts";
import { nameOf } from "../tasks/image-source.ts";
import type { Dataset } from "./dataset.ts";
import { digestOfImages } from "./embeddings/image-digest.ts";
import { embedDatasetImages, type ImageEmbeddingOptions } from "./embeddings/image-embeddings.ts";
import { TextEmbeddings, type TextProgress } from "./embeddings/text-embeddings.ts";
import type { Evaluation, TaskName, TaskResult } from "./evaluation.ts";
import type { EvaluationHost } from "./host.ts";
import { assertKnownLanguage } from "./languages.ts";
import {
  embedClasses,
  promptClasses,
  type CustomPrompts,
  type PromptedClasses,
} from "./tasks/class-weights.ts";
import { evaluateClassification } from "./tasks/classification.ts";
import type { Classifier } from "./metrics/accuracy.ts";
import { evaluateMultilabel } from "./tasks/multilabel.ts";
import { evaluateRetrieval } from "./tasks/retrieval.ts";
import { evaluateSelection } from "./tasks/selection.ts";

/** How a dataset is evaluated. */
export interface EvaluateOptions extends Omit<ImageEmbeddingOptions, "onProgress"> {
  /** CLIP_benchmark's code of the language of class names and templates. Default: "en". */
  readonly language?: string;
  /** Class names and templates from files, which come before those of the dataset. */
  readonly prompts?: CustomPrompts;
  /**
   * [classes, embedDim]: the embeddings of the classes, such as the mean of several classifiers, which is not normalised
   * again. Prompts are not embedded then. Default: from the prompts.
   */
  readonly classifier?: Classifier;
  /** Receives the embeddings of the classes. */
  readonly onClassifier?: (classifier: Classifier, classNames: readonly string[]) => Promise<void>;
  /** For retrieval: each k of recall@k. Default: 5, as in CLIP_benchmark. */
  readonly recallK?: readonly number[];
  /** Called with the number of images that are embedded. */
  readonly onImages?: ImageEmbeddingOptions["onProgress"];
  /** Called with the number of texts that are embedded. */
  readonly onTexts?: TextProgress;
  /** The embeddings of texts, if several datasets share them. Default: opened for this dataset. */
  readonly texts?: TextEmbeddings;
}

/** CLIP_benchmark's default for `--recall_k`. */
export const defaultRecallK: readonly number[] = [5];

const tasks = {
  classification: "zeroshot_classification",
  multilabel: "zeroshot_classification",
  retrieval: "zeroshot_retrieval",
  selection: "image_caption_selection",
} as const;

/** The task of a dataset: CLIP_benchmark takes it from the dataset's name, here its kind decides. */
export function taskOf({ kind }: Dataset): TaskName {
  return tasks[kind];
}

/**
 * Evaluates a model on a dataset. With a folder for features, each image and each text is embedded once, whatever the
 * number of runs and languages, and an interrupted run continues.
 *
 * @throws InputError for labels outside the classes, an unknown language, a k beyond the number of candidates, and if no
 *   image can be read
 */
export async function evaluate(
  host: EvaluationHost,
  model: Clip,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { language = "en", onImages, onTexts, recallK = defaultRecallK } = options;
  const classes = await classesOf(host, dataset, options);
  assertRecallK(recallK);
  assertClassifier(dataset, classes, options.classifier, model.config.embedDim);
  const images = await embedDatasetImages(host, model, dataset, {
    ...options,
    ...(onImages === undefined ? {} : { onProgress: onImages }),
  });
  const texts = options.texts ?? (await TextEmbeddings.open(host, model, options.features));
  const run = async (): Promise<TaskResult> => {
    if (dataset.kind === "retrieval") return evaluateRetrieval(dataset, images, texts, recallK, onTexts);
    if (dataset.kind === "selection") return evaluateSelection(dataset, images, texts, onTexts);
    const { prompts, classNames, summary } = classes!;
    const { classifier, prepared } =
      options.classifier === undefined
        ? await embedClasses(prompts, texts, onTexts)
        : { classifier: options.classifier, prepared: { texts: 0, embedded: 0 } };
    await options.onClassifier?.(classifier, classNames);
    const result =
      dataset.kind === "classification"
        ? await evaluateClassification(dataset, images, classNames, classifier)
        : await evaluateMultilabel(dataset, images, classNames, classifier);
    return { ...result, prompts: options.classifier === undefined ? summary : null, texts: prepared };
  };
  try {
    return {
      dataset: dataset.name,
      layout: dataset.layout,
      split: dataset.split,
      language,
      task: taskOf(dataset),
      ...(await run()),
      datasetImages: dataset.images.length,
      asked: images.asked,
      failed: images.failed.map(({ image, reason }) => ({ image: nameOf(dataset.images[image]!), reason })),
      isPartial: images.asked < dataset.images.length || images.failed.length > 0,
      imagesSha256: await digestOfImages(host.files, dataset.images.slice(0, images.asked)),
      featuresFile: images.file,
      decoded: images.decoded,
      sources: dataset.sources,
    };
  } finally {
    texts.release();
  }
}

/** The classes of a dataset that has any; null for captions. @throws InputError for an unknown language, and as `promptClasses` */
export async function classesOf(
  host: EvaluationHost,
  dataset: Dataset,
  { language = "en", prompts = {} }: Pick<EvaluateOptions, "language" | "prompts">,
): Promise<PromptedClasses | null> {
  assertKnownLanguage(dataset, language, prompts);
  if (dataset.kind === "retrieval" || dataset.kind === "selection") return null;
  return promptClasses(dataset, prompts, () => host.packagedPrompts(language));
}

/** @throws InputError for a classifier of other classes or another model */
function assertClassifier(
  { name, kind }: Dataset,
  classes: PromptedClasses | null,
  classifier: Rows | undefined,
  embedDim: number,
): void {
  if (classifier === undefined) return;
  if (classes === null)
    throw new InputError(`${name}: a classifier is for images with classes, found ${kind}`);
  const expected = classes.classNames.length;
  if (classifier.rows === expected && classifier.width === embedDim) return;
  throw new InputError(
    `${name}: expected a classifier of ${expected} classes and embeddings of ${embedDim} numbers, found ${classifier.rows} and ${classifier.width}`,
  );
}

function assertRecallK(ks: readonly number[]): void {
  const bad = ks.find((k) => !Number.isInteger(k) || k < 1);
  if (bad === undefined && ks.length > 0) return;
  throw new InputError(`recall@k: expected whole numbers above 0 as k, got ${bad ?? "none"}`);
}
