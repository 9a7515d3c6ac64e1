/**
 * Load a model, embed images and texts, classify and search: what most programs need. Node only.
 *
 * @module clipscope
 */
import "./node/tap-scope.ts";

export { InputError } from "./errors/input-error.ts";
export { loadModel, type LoadOptions } from "./node/models/load-model.ts";
export { demoModel } from "./node/models/model-directory.ts";
export { pullDataset, pullModel } from "./node/models/pull-model.ts";
export type { PullOptions, PullReport } from "./node/hub/pull.ts";
export type { PulledFile } from "./node/hub/repository.ts";
export type { PullDatasetOptions, PulledDataset } from "./node/hub/pull-dataset.ts";
export { startNodeBackend } from "./node/backends/backends.ts";
export { readImages } from "./node/images/read-images.ts";
export type { ImageContent, ImageInput, NamedImage } from "./tasks/image-source.ts";
export {
  embedImage,
  embedImages,
  embedImageTaps,
  rankImages,
  type EmbedImagesOptions,
  type EmbedTapsOptions,
  type RankImagesOptions,
} from "./node/images/embed-images.ts";
export {
  embedImagesToFile,
  embedTextsToFile,
  openSearch,
  readFeatures,
  writeFeatures,
} from "./node/features/features-files.ts";
export { evaluate, readDataset, type ReadDatasetOptions } from "./node/eval/evaluate.ts";
export type { EvaluateOptions } from "./eval/evaluate.ts";
export type { Evaluation } from "./eval/evaluation.ts";
export type { Dataset } from "./eval/dataset.ts";
export { train, type TrainOptions, type TrainResult } from "./node/train/train.ts";
export type { TrainSettings } from "./node/train/settings.ts";
export { openIndex, type OpenedIndex } from "./node/retrieval/open-index.ts";
export type { IndexOrigin, IndexPartition } from "./node/retrieval/searched-index.ts";
export type { ScoredBy, ScoreOptions } from "./node/retrieval/columns/score-index.ts";
export type { ColumnSetReport } from "./node/retrieval/columns/write-column-set.ts";
export type {
  DedupOptions,
  DedupReport,
  DuplicateGroup,
  DuplicateRow,
} from "./node/retrieval/duplicates/dedup-index.ts";
export type { Cluster, ClusterOptions, ClusterReport } from "./node/retrieval/clusters/cluster-index.ts";
export { openLanceIndex, type LanceIndex, type QueriedIndex } from "./node/retrieval/lance-index.ts";
export type { QueryOptions } from "./node/retrieval/query-options.ts";
export type { LoadModel, QueryTerm } from "./node/retrieval/query-vectors.ts";
export type { Found } from "./retrieval/result-text.ts";
export { serveIndices, type RunningServer } from "./node/serve/serve-indices.ts";
export type { ServeOptions } from "./node/serve/serve-options.ts";
export {
  finetune,
  type FinetuneData,
  type FinetuneOptions,
  type FinetuneResult,
} from "./node/finetune/finetune.ts";
export type { NamedImages } from "./node/finetune/named-images.ts";
export type { FinetuneSettings } from "./node/finetune/settings.ts";
export { Merge } from "./node/finetune/merge.ts";
export { openProbe, predictImage, predictImages, probeLayers, saveProbe } from "./node/features/probes.ts";
export {
  Clip,
  contrastiveLoss,
  gradients,
  l2Normalize,
  type ClipConfig,
  type EncodeOptions,
  type EncodeTokensOptions,
  type GradientInputs,
  type GradientOptions,
  type Gradients,
  type LossInputs,
  type PreprocessConfig,
  type Tokenizer,
} from "./clip/index.ts";
export {
  conditionOnImages,
  conditionOnTokens,
  consumerNames,
  prepareImage,
  type Conditioning,
  type ConsumerName,
  type Preparation,
} from "./condition/index.ts";
export { SearchableFeatures } from "./features/index.ts";
export { Probe } from "./probe/index.ts";
export {
  rank,
  zeroShotClassifier,
  ZeroShotClassifier,
  type ClassScore,
  type EmbeddedImages,
  type Match,
  type Ranked,
  type TappedImages,
  type ZeroShotOptions,
} from "./tasks/index.ts";
export {
  withTaps,
  type BackendChoice,
  type BackendInfo,
  type Patch,
  type Residency,
  type TapSink,
} from "./tensor/index.ts";
