/** The settings of a run, under open_clip's names in camelCase; docs/reference/command-line.md explains them. */
import type { Augmentation } from "../../image/augmentation.ts";
import type { Locks } from "../../train/locks.ts";
import type { DatasetType, TableOptions } from "./pairs.ts";

/** open_clip_train's options, in camelCase; null where an option is not set. */
export interface TrainSettings {
  readonly trainData: string;
  readonly valData: string | null;
  /** A dataset of `clipscope eval` for zero-shot classification. */
  readonly zeroshotData: string | null;
  readonly datasetType: DatasetType;
  readonly table: TableOptions;
  readonly batchSize: number;
  readonly accumFreq: number;
  readonly epochs: number;
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly wd: number;
  /** Null: a tenth of the run, at most open_clip's 10,000. */
  readonly warmup: number | null;
  readonly lrScheduler: "cosine" | "const" | "const-cooldown";
  readonly epochsCooldown: number | null;
  readonly lrCooldownEnd: number;
  readonly lrCooldownPower: number;
  readonly gradClipNorm: number | null;
  /** Compute blocks again in the backward pass in any case. */
  readonly gradCheckpointing: boolean;
  readonly locks: Locks;
  readonly workers: number;
  readonly seed: number;
  /** Null: the shares of the text network's config. */
  readonly dropout: number | null;
  readonly imageFeatures: string | null;
  readonly cacheImageFeatures: boolean;
  /** Random crops of each image that are cached; 0 for the evaluation's preprocessing. */
  readonly imageViews: number;
  readonly augmentation: Augmentation;
  /** Pairs of an epoch; null for all. */
  readonly trainNumSamples: number | null;
  readonly logs: string;
  readonly name: string | null;
  readonly saveFrequency: number;
  readonly saveMostRecent: boolean;
  readonly deletePreviousCheckpoint: boolean;
  readonly valFrequency: number;
  readonly zeroshotFrequency: number;
  readonly logEveryNSteps: number;
  /** A checkpoint, or "latest". */
  readonly resume: string | null;
  /** A file of weights to begin with. */
  readonly pretrained: string | null;
}
