/**
 * CLIP_benchmark's evaluation: datasets, prompts, metrics, results, published figures. Runs in browsers too.
 *
 * @module eval
 */
export { collections, expandCollection, type CollectionItem } from "./collections.ts";
export type { DatasetFiles, FolderEntry, TarMember } from "./dataset-files.ts";
export type { DatasetReader, DatasetRequest } from "./dataset-reader.ts";
export type * from "./dataset.ts";
export { datasetReaders } from "./datasets/index.ts";
export type { ImageEmbeddingOptions } from "./embeddings/image-embeddings.ts";
export { TextEmbeddings, type PreparedTexts, type TextProgress } from "./embeddings/text-embeddings.ts";
export { evaluate, defaultRecallK, taskOf, type EvaluateOptions } from "./evaluate.ts";
export * from "./evaluation.ts";
export { findDataset, readDataset, type FindDatasetOptions, type FoundDataset } from "./find-dataset.ts";
export type { EvaluationHost } from "./host.ts";
export * from "./metrics/accuracy.ts";
export * from "./metrics/average-precision.ts";
export { cosineBlocks, type CosineBlock } from "./metrics/cosine-blocks.ts";
export * from "./metrics/retrieval.ts";
export * from "./metrics/selection.ts";
export { hasOneLanguage } from "./languages.ts";
export { openClipName } from "./model-name.ts";
export { EvaluationPlanner, type EvaluationPlan, type PlanOptions, type RemainingWork } from "./plan.ts";
export {
  choosePrompts,
  type ChosenPrompts,
  type PackagedPrompts,
  type PromptSources,
} from "./prompts/choose-prompts.ts";
export { classPrompts, reportNames, type NamesReport } from "./prompts/class-prompts.ts";
export {
  readClassNameFile,
  readTemplateFile,
  type ClassNameFile,
  type TemplateFile,
  type Templates,
} from "./prompts/prompt-files.ts";
export {
  compareWithPublished,
  decisive,
  readPublished,
  type ComparedResult,
  type CompareOptions,
  type Comparison,
  type PublishedFigure,
  type PublishedSource,
} from "./published.ts";
export {
  resultFileName,
  resultRecord,
  type ModelName,
  type ResultIdentity,
  type ResultRecord,
} from "./record.ts";
export { benchmarkCsv } from "./report/csv.ts";
export { shownImages, type Thumbnails } from "./report/details-section.ts";
export { reportPage } from "./report/page.ts";
export { readEvaluation } from "./report/read-evaluation.ts";
export { readRecord } from "./report/read-record.ts";
export type { ReportedResult, ResultEvaluation } from "./report/reported-result.ts";
export type { CustomPrompts } from "./tasks/class-weights.ts";
