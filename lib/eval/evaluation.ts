/** The result of an evaluation: the figures of CLIP_benchmark, and what explains them. */
import type { PreparedTexts } from "./embeddings/text-embeddings.ts";
import type { ChosenPrompts } from "./prompts/choose-prompts.ts";
import type { NamesReport } from "./prompts/class-prompts.ts";

/** CLIP_benchmark's names of tasks. */
export type TaskName =
  "zeroshot_classification" | "zeroshot_retrieval" | "image_caption_selection" | "linear_probe";

/**
 * CLIP_benchmark's names of figures, in its order. Null: not defined, such as acc5 of fewer than five classes. A linear
 * probe has settings among them.
 */
export type Metrics = Readonly<Record<string, number | boolean | null>>;

/** Which prompts represented the classes. */
export interface PromptSummary {
  readonly sources: ChosenPrompts["sources"];
  /** Whether the templates are ImageNet's because there are none for the dataset. */
  readonly isFallback: boolean;
  readonly classes: number;
  /** Prompts of all classes, repeated ones included. */
  readonly prompts: number;
  /** The first prompts of the first class. */
  readonly first: readonly string[];
  readonly names: NamesReport;
  /** SHA-256 of all prompts, by class. */
  readonly sha256: string;
}

/** A class of a dataset with one class for each image. */
export interface ClassFigures {
  readonly name: string;
  readonly examples: number;
  /** Null without examples. */
  readonly recall: number | null;
  /** Null if no image was taken for it. */
  readonly precision: number | null;
}

/** How many images of a class were taken for another, or for it. Pairs that do not occur are left out. */
export type Confusion = readonly [truth: number, predicted: number, images: number];

/** A class of a multilabel dataset. */
export interface LabelFigures {
  readonly name: string;
  readonly positives: number;
  readonly averagePrecision: number;
}

/** A caption whose image, or an image whose captions, came far behind. */
export interface WorstRetrieval {
  /** The name of the image. */
  readonly image: string;
  /** The caption: the query, or the first of the image's own. Null for an image without captions. */
  readonly caption: string | null;
  /** The rank of the right answer, from 1. */
  readonly rank: number;
  /** What came first instead: the name of an image, or a caption. */
  readonly instead: string;
}

/** What explains the figures, by the kind of the dataset. */
export type Details =
  | {
      readonly kind: "classification";
      readonly classes: readonly ClassFigures[];
      readonly confusions: readonly Confusion[];
    }
  | { readonly kind: "multilabel"; readonly classes: readonly LabelFigures[] }
  | {
      readonly kind: "retrieval";
      readonly captions: number;
      /** Mean and median rank of the right answer, from 1. */
      readonly imageRank: RankSummary;
      readonly textRank: RankSummary;
      readonly worstImageRetrievals: readonly WorstRetrieval[];
      readonly worstTextRetrievals: readonly WorstRetrieval[];
    }
  | {
      readonly kind: "selection";
      readonly instances: number;
      /** Indices of the instances that are answered wrongly. */
      readonly wrong: readonly number[];
    }
  | {
      readonly kind: "linear_probe";
      readonly trainImages: number;
      readonly weightDecay: number;
      readonly classes: readonly ClassFigures[];
      readonly confusions: readonly Confusion[];
    };

/** How far behind the right answers are. */
export interface RankSummary {
  readonly mean: number;
  readonly median: number;
}

/** The outcome of one task. */
export interface TaskResult {
  readonly metrics: Metrics;
  /** The standard error of each figure; null where it is not known. */
  readonly standardErrors: Readonly<Record<string, number | null>>;
  /** Images, captions or instances whose answer depends on the order of equal scores. */
  readonly ties: number;
  readonly details: Details;
  readonly prompts: PromptSummary | null;
  readonly texts: PreparedTexts;
  /** Images that count. */
  readonly images: number;
}

/** An image that could not be read. */
export interface FailedImage {
  readonly image: string;
  readonly reason: string;
}

/** A finished evaluation. */
export interface Evaluation extends TaskResult {
  readonly dataset: string;
  readonly layout: string;
  readonly split: string | null;
  readonly language: string;
  readonly task: TaskName;
  /** Images of the whole dataset. */
  readonly datasetImages: number;
  /** Images that were asked for: fewer with a limit. */
  readonly asked: number;
  readonly failed: readonly FailedImage[];
  /** Whether images are missing, by a limit or because they cannot be read: such figures are not compared. */
  readonly isPartial: boolean;
  /** SHA-256 of the images' names and files. */
  readonly imagesSha256: string;
  /** The features file of the images; null without a folder for features. */
  readonly featuresFile: string | null;
  /** Images that this run decoded. */
  readonly decoded: number;
  /** The files that labels, captions and prompts came from. */
  readonly sources: readonly string[];
}

/** The standard error of a share of `n` independent cases. */
export function shareError(share: number, n: number): number {
  return Math.sqrt((share * (1 - share)) / n);
}
