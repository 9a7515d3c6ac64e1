/** What an evaluation would compute: counts, what is cached, and how long the rest takes. */
import type { Clip } from "../clip/clip.ts";
import { defaultBatchSize, embedLoadedImages } from "../tasks/embed-images.ts";
import { embedTextTaps, textTap } from "../tasks/embed-texts.ts";
import { disposing } from "../tensor/disposing.ts";
import type { Dataset } from "./dataset.ts";
import { digestOfImages } from "./embeddings/image-digest.ts";
import { countCachedImages } from "./embeddings/image-embeddings.ts";
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

/** What neither an earlier run nor an evaluation that is planned before embeds. */
export interface RemainingWork {
  readonly images: number;
  readonly texts: number;
  /** From the time that a few batches of each take. */
  readonly seconds: number;
}

/** Options of `EvaluationPlanner.plan`. */
export interface PlanOptions extends Pick<
  EvaluateOptions,
  "features" | "language" | "limit" | "prompts" | "batchSize"
> {
  /** The splits that a linear probe is fitted on. */
  readonly probe?: readonly Dataset[];
}

/** Plans evaluations that run one after the other. */
export class EvaluationPlanner {
  readonly #host: EvaluationHost;
  readonly #model: Clip | null;
  /** What the evaluations that are planned so far will have embedded. */
  readonly #images = new Set<string>();
  readonly #texts = new Set<string>();
  /** Measured once. */
  #secondsPerImage: number | null = null;
  #secondsPerText: number | null = null;

  /** @param model with null, what is cached and how long the rest takes is not known */
  constructor(host: EvaluationHost, model: Clip | null) {
    this.#host = host;
    this.#model = model;
  }

  /**
   * Plans an evaluation. With a model, the cache is looked at, and a few batches of the first images and texts that are
   * left are embedded, to measure how long the rest takes.
   *
   * @throws InputError as `evaluate` does before it embeds anything
   */
  async plan(dataset: Dataset, options: PlanOptions = {}): Promise<EvaluationPlan> {
    const { language = "en", limit = Infinity, probe } = options;
    const classes = probe === undefined ? await classesOf(this.#host, dataset, options) : null;
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
      remaining: this.#model && (await this.#remaining(this.#model, splits, texts, options)),
    };
  }

  async #remaining(
    model: Clip,
    splits: readonly Dataset[],
    texts: readonly string[],
    options: PlanOptions,
  ): Promise<RemainingWork> {
    let [images, seconds] = [0, 0];
    for (const split of splits) {
      const left = await this.#imagesLeft(model, split, options);
      if (left === 0) continue;
      images += left;
      seconds += left * (this.#secondsPerImage ??= await secondsPerImage(this.#host, model, split, options));
    }
    const all = await TextEmbeddings.open(this.#host, model, options.features);
    const missing = (await all.missing(texts)).filter((text) => !this.#texts.has(text));
    if (missing.length > 0) {
      for (const text of missing) this.#texts.add(text);
      seconds += missing.length * (this.#secondsPerText ??= await secondsPerText(model, missing));
    }
    return { images, texts: missing.length, seconds };
  }

  async #imagesLeft(model: Clip, dataset: Dataset, options: PlanOptions): Promise<number> {
    const asked = dataset.images.slice(0, options.limit);
    const key = `${dataset.convertToRgbFirst} ${await digestOfImages(this.#host.files, asked)}`;
    if (this.#images.has(key)) return 0;
    this.#images.add(key);
    return asked.length - (await countCachedImages(this.#host, model, dataset, options));
  }
}

function captionsOf(dataset: Dataset, limit: number): readonly string[] {
  if (dataset.kind === "retrieval") return dataset.captions.slice(0, limit).flat();
  if (dataset.kind === "selection") return dataset.instances.flatMap(({ captions }) => captions);
  return [];
}

/** In ms: how long batches are measured, if there are several. */
const measured = 2000;

/** Of the batches after the first one, which loads the weights and starts threads; of that if there is only one. */
async function secondsPerImage(
  host: EvaluationHost,
  model: Clip,
  { images, convertToRgbFirst }: Dataset,
  { batchSize = defaultBatchSize }: PlanOptions,
): Promise<number> {
  const loaded = host.loadImages(model, images, { convertToRgbFirst, batchSize });
  const marks = [{ done: 0, time: performance.now() }];
  const batches = embedLoadedImages(model, loaded, { batchSize, onError: () => undefined });
  for await (const { features, done } of batches) {
    await disposing(features, (tensor) => tensor.data());
    marks.push({ done, time: performance.now() });
    if (marks.length > 2 && performance.now() - marks[1]!.time > measured) break;
  }
  return secondsBetween(marks);
}

/** As many as are embedded at once. */
const textsAtOnce = 32;

/** Of batches from the middle of the texts by length outwards, after a first one that loads the weights. */
async function secondsPerText(model: Clip, missing: readonly string[]): Promise<number> {
  const middle = Math.max(0, Math.floor((missing.length - textsAtOnce) / 2));
  const batch = missing.slice(middle, middle + textsAtOnce);
  const marks = [{ done: 0, time: performance.now() }];
  do {
    const [features] = await embedTextTaps(model, batch, [textTap]);
    await disposing(features!, (tensor) => tensor.data());
    marks.push({ done: marks.length * batch.length, time: performance.now() });
  } while (marks.length < 3 || performance.now() - marks[1]!.time < measured);
  return secondsBetween(marks);
}

interface Mark {
  readonly done: number;
  readonly time: number;
}

function secondsBetween(marks: readonly Mark[]): number {
  const [start, end] = [marks[marks.length > 2 ? 1 : 0]!, marks.at(-1)!];
  return (end.time - start.time) / 1000 / Math.max(1, end.done - start.done);
}
