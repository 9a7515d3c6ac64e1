/** What an evaluation would compute: counts, what is cached, and how long the rest takes. */
import type { Clip } from "../clip/clip.ts";
import { defaultBatchSize } from "../tasks/embed-images.ts";
import type { Dataset } from "./dataset.ts";
import { countCachedImages, embedDatasetImages } from "./embeddings/image-embeddings.ts";
import { TextEmbeddings } from "./embeddings/text-embeddings.ts";
import { classesOf, taskOf, type EvaluateOptions } from "./evaluate.ts";
import type { PromptSummary, TaskName } from "./evaluation.ts";
import type { EvaluationHost } from "./host.ts";

/** What an evaluation of one dataset would do. */
export interface EvaluationPlan {
  readonly dataset: string;
  readonly language: string;
  readonly task: TaskName;
  readonly layout: string;
  readonly split: string | null;
  readonly images: number;
  /** Prompts or captions. */
  readonly texts: number;
  readonly differentTexts: number;
  readonly prompts: PromptSummary | null;
  readonly sources: readonly string[];
  /** Null without a model. */
  readonly remaining: RemainingWork | null;
}

/** What no earlier run has embedded. */
export interface RemainingWork {
  readonly images: number;
  readonly texts: number;
  /** From the time that one batch of each takes. */
  readonly seconds: number;
}

/** Options of `planEvaluation`. */
export interface PlanOptions extends Pick<
  EvaluateOptions,
  "features" | "language" | "limit" | "prompts" | "batchSize"
> {
  /** The splits that a linear probe is fitted on. */
  readonly probe?: readonly Dataset[];
}

/**
 * Plans an evaluation. With a model, the cache is looked at, and one batch of the images and of the texts that are left is
 * embedded to measure how long the rest takes.
 *
 * @throws InputError as `evaluate` does before it embeds anything
 */
export async function planEvaluation(
  host: EvaluationHost,
  model: Clip | null,
  dataset: Dataset,
  options: PlanOptions = {},
): Promise<EvaluationPlan> {
  const { language = "en", limit = Infinity, probe } = options;
  const classes = probe === undefined ? await classesOf(host, dataset, options) : null;
  const splits = [dataset, ...(probe ?? [])];
  const texts = classes?.prompts.flat() ?? (probe === undefined ? captionsOf(dataset, limit) : []);
  return {
    dataset: dataset.name,
    language,
    task: probe === undefined ? taskOf(dataset) : "linear_probe",
    layout: dataset.layout,
    split: dataset.split,
    images: splits.reduce((sum, { images }) => sum + Math.min(limit, images.length), 0),
    texts: texts.length,
    differentTexts: new Set(texts).size,
    prompts: classes?.summary ?? null,
    sources: dataset.sources,
    remaining: model && (await remainingWork(host, model, splits, texts, options)),
  };
}

function captionsOf(dataset: Dataset, limit: number): readonly string[] {
  if (dataset.kind === "retrieval") return dataset.captions.slice(0, limit).flat();
  if (dataset.kind === "selection") return dataset.instances.flatMap(({ captions }) => captions);
  return [];
}

async function remainingWork(
  host: EvaluationHost,
  model: Clip,
  splits: readonly Dataset[],
  texts: readonly string[],
  options: PlanOptions,
): Promise<RemainingWork> {
  const { features, limit = Infinity } = options;
  let [images, seconds] = [0, 0];
  for (const split of splits) {
    const asked = Math.min(limit, split.images.length);
    const left = asked - (await countCachedImages(host, model, split, options));
    images += left;
    if (left > 0) seconds += left * (await secondsPerImage(host, model, split, options));
  }
  const missing = await (await TextEmbeddings.open(host, model, features)).missing(texts);
  if (missing.length > 0) seconds += missing.length * (await secondsPerText(host, model, missing));
  return { images, texts: missing.length, seconds };
}

/** Of one batch, after a first image that loads the weights. */
async function secondsPerImage(
  host: EvaluationHost,
  model: Clip,
  dataset: Dataset,
  { batchSize = defaultBatchSize }: PlanOptions,
): Promise<number> {
  await embedDatasetImages(host, model, dataset, { limit: 1, batchSize });
  const count = Math.min(batchSize, dataset.images.length);
  const start = performance.now();
  await embedDatasetImages(host, model, dataset, { limit: count, batchSize });
  return (performance.now() - start) / 1000 / count;
}

/** As many as are embedded at once. */
const measuredTexts = 32;

/** Of one batch of texts of middling length, after a first one that loads the weights. */
async function secondsPerText(host: EvaluationHost, model: Clip, missing: readonly string[]): Promise<number> {
  const start = Math.max(0, Math.floor((missing.length - measuredTexts) / 2));
  const batch = missing.slice(start, start + measuredTexts);
  await (await TextEmbeddings.open(host, model)).prepare(batch.slice(0, 1));
  const texts = await TextEmbeddings.open(host, model);
  const before = performance.now();
  await texts.prepare(batch);
  return (performance.now() - before) / 1000 / batch.length;
}
