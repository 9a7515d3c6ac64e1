/** Evaluations under Node. */
import type { Clip } from "../../clip/clip.ts";
import type { Dataset } from "../../eval/dataset.ts";
import { evaluate as evaluateOnHost, type EvaluateOptions } from "../../eval/evaluate.ts";
import type { Evaluation } from "../../eval/evaluation.ts";
import { readDataset as readOnHost, type FindDatasetOptions } from "../../eval/find-dataset.ts";
import { datasetFiles } from "./dataset-files.ts";
import { evaluationHost } from "./host.ts";

/**
 * Reads a dataset: its labels or captions, and where its images are. No image is decoded.
 *
 * @param dataset a folder, or one of CLIP_benchmark's names with `data`
 * @throws InputError if it is not found, damaged, or in no known layout
 */
export function readDataset(dataset: string, options: FindDatasetOptions = {}): Promise<Dataset> {
  return readOnHost(datasetFiles, dataset, options);
}

/**
 * Evaluates a model on a dataset, with CLIP_benchmark's figures: zero-shot classification, retrieval, or the selection
 * of captions, as the dataset's kind says.
 *
 * @param dataset a folder or a name, as for `readDataset`, or a dataset that is already read
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
