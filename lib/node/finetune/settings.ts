/** The settings of a fine-tuning run; docs/reference/command-line.md explains them. */
import type { LoraModule } from "../../train/lora-targets.ts";

/** `ce`: cross-entropy with a classifier on top. `flyp`: the contrastive loss, with prompts of the classes. */
export type FinetuneLoss = "ce" | "flyp";

/** Low-rank adapters in place of the blocks' own weights. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly modules: readonly LoraModule[];
  readonly dropout: number;
}

/** The settings of a run. */
export interface FinetuneSettings {
  readonly loss: FinetuneLoss;
  /** Blocks at the end of the image tower that are trained, or get adapters. */
  readonly blocks: number;
  /** The same of the text tower, for `flyp`. Null: as many as `blocks`, at most all. */
  readonly textBlocks: number | null;
  readonly lora: LoraSettings | null;
  /** Each with "{}" where the class name goes. */
  readonly templates: readonly string[];
  readonly batchSize: number;
  readonly epochs: number;
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly wd: number;
  /** Null: a tenth of the run. */
  readonly warmup: number | null;
  readonly gradClipNorm: number | null;
  readonly labelSmoothing: number;
  /** Of the text network, for `flyp`; null: the shares of its config. */
  readonly dropout: number | null;
  readonly seed: number;
}
