/** Evaluations under Node. */
import type { Clip } from "../../clip/clip.ts";
import type { Dataset } from "../../eval/dataset.ts";
import { evaluate as evaluateOnHost, type EvaluateOptions } from "../../eval/evaluate.ts";
import type { Evaluation } from "../../eval/evaluation.ts";
import { readDataset as readOnHost, type FindDatasetOptions } from "../../eval/find-dataset.ts";
import type { PullDatasetOptions } from "../hub/pull-dataset.ts";
import { datasetFiles } from "./dataset-files.ts";
import { evaluationHost } from "./host.ts";
import { locateDataset } from "./hub-dataset.ts";

/** Options of `readDataset`: where the dataset is, and how a download is reported. */
export interface ReadDatasetOptions
  extends FindDatasetOptions, Pick<PullDatasetOptions, "signal" | "onProgress" | "onWait" | "retryPolicy"> {}

/**
 * Reads a dataset: its labels or captions, and where its images are. No image is decoded. A dataset of the hub is
 * downloaded unless it is in the cache.
 *
 * @param dataset a folder, one of CLIP_benchmark's names with `data`, or the address of a WebDataset on the hub
 *   ("https://huggingface.co/datasets/clip-benchmark/wds_cars/tree/main"); `data` may be such an address too, with
 *   `{dataset}` or `{dataset_cleaned}`
 * @throws InputError if it is not found, damaged, or in no known layout, and if it cannot be downloaded
 */
export async function readDataset(
  dataset: string,
  { signal, onProgress, onWait, retryPolicy, ...find }: ReadDatasetOptions = {},
): Promise<Dataset> {
  const download = { signal, onProgress, onWait, retryPolicy };
  const given = Object.entries(download).filter(([, value]) => value !== undefined);
  const located = await locateDataset(dataset, find, Object.fromEntries(given));
  return readOnHost(datasetFiles, located.dataset, { ...find, ...located.options });
}

/**
 * Evaluates a model on a dataset, with CLIP_benchmark's figures: zero-shot classification, retrieval, or the selection
 * of captions, as the dataset's kind says.
 *
 * @param dataset a folder, a name or an address, as for `readDataset`, or a dataset that is already read
 * @throws InputError as `readDataset`; for labels that do not fit the class names; if no image can be read
 */
export async function evaluate(
  model: Clip,
  dataset: string | Dataset,
  { data, split, annotations, ...options }: EvaluateOptions & FindDatasetOptions = {},
): Promise<Evaluation> {
  const find = { data, split, annotations, language: options.language };
  const given = Object.fromEntries(Object.entries(find).filter(([, value]) => value !== undefined));
  const found = typeof dataset === "string" ? await readDataset(dataset, given) : dataset;
  return evaluateOnHost(evaluationHost, model, found, options);
}
