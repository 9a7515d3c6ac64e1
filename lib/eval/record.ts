/**
 * CLIP_benchmark's result object, and the name of its file.
 *
 * Source: CLIP_benchmark, cli.py, run.
 */
import type { Evaluation, Metrics, TaskName } from "./evaluation.ts";

/** A model under open_clip's names. */
export interface ModelName {
  /** The architecture: "xlm-roberta-large-ViT-H-14". */
  readonly model: string;
  /** The tag: "frozen_laion5b_s13b_b90k"; for other weights the name of their directory. */
  readonly pretrained: string;
}

/** CLIP_benchmark's result object, with its keys in its order. */
export interface ResultRecord extends ModelName {
  /** As given, with `wds/` if that was given. */
  readonly dataset: string;
  readonly task: TaskName;
  readonly metrics: Metrics;
  readonly language: string;
  readonly classnames?: readonly string[];
  readonly templates?: unknown;
  /** Only where images are missing. CLIP_benchmark has no such key; its `build` makes a column of it. */
  readonly partial?: true;
}

/** What names a result. */
export type ResultIdentity = Pick<ResultRecord, "dataset" | "model" | "pretrained" | "language" | "task">;

/** The result object of an evaluation. acc5 of fewer than five classes is null, where CLIP_benchmark writes NaN. */
export function resultRecord(
  { dataset, task, metrics, language, isPartial }: Evaluation,
  { model, pretrained }: ModelName,
  { classnames, templates }: Pick<ResultRecord, "classnames" | "templates"> = {},
): ResultRecord {
  return {
    dataset,
    model,
    pretrained,
    task,
    metrics,
    language,
    ...(classnames === undefined ? {} : { classnames }),
    ...(templates === undefined ? {} : { templates }),
    ...(isPartial ? { partial: true } : {}),
  };
}

/**
 * CLIP_benchmark's default for `--output`: `{dataset}_{pretrained}_{model}_{language}_{task}.json`, with the dataset
 * without `wds/`. Slashes become underscores, in the model's names too, where CLIP_benchmark would need a folder.
 */
export function resultFileName({ dataset, pretrained, model, language, task }: ResultIdentity): string {
  const parts = [dataset.replace(/^wds\//, ""), pretrained, model, language, task];
  return `${parts.join("_").replaceAll(/[/\\]/g, "_")}.json`;
}
