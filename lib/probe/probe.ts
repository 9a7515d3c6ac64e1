/** A linear probe: logits = W x + b on the features of a frozen network, to which a cache of examples may add. */
import { softmax } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import { renumberLabels } from "../features/features.ts";
import type { Features, LabelledFeatures, Metadata, Rows } from "../features/features.ts";
import { assertSameOrigin } from "../features/origin.ts";
import { disposing } from "../tensor/disposing.ts";
import type { ClassScore } from "../tasks/zero-shot.ts";
import { RunningEvaluation, type Evaluation } from "./evaluate.ts";
import type { FeatureCache } from "./feature-cache.ts";
import { LoadedLinear, logitBlocks, type LogitBlock } from "./logits.ts";

/** The parameters of a probe, and what is known about it. */
export interface ProbeParts {
  /** The file's path, for messages. */
  readonly name: string;
  /** [classes, width] in row-major order */
  readonly weight: Float32Array;
  /** [classes] */
  readonly bias: Float32Array;
  /** Of Tip-Adapter: examples that add to the logits. */
  readonly cache?: FeatureCache;
  /** null: classes have only labels */
  readonly classNames: readonly string[] | null;
  /** The label of each class, if these are not 0, 1, 2, … */
  readonly classIds?: readonly number[];
  readonly metadata: Metadata;
}

/** A linear probe. Its file format is in probe-file.ts; predict.ts classifies images with it. */
export class Probe {
  readonly name: string;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly cache: FeatureCache | undefined;
  /** The names of the classes; without names, their labels. */
  readonly classNames: readonly string[];
  /** The label of each class in the features that the probe was fitted on; undefined if these are 0, 1, 2, … */
  readonly classIds: readonly number[] | undefined;
  /** The width of the features. */
  readonly width: number;
  readonly metadata: Metadata;
  /** False if the classes have only labels, which are their names then. */
  readonly hasNames: boolean;

  constructor({ name, weight, bias, cache, classNames, classIds, metadata }: ProbeParts) {
    this.name = name;
    this.weight = weight;
    this.bias = bias;
    this.cache = cache;
    this.width = weight.length / bias.length;
    this.classNames = classNames ?? Array.from(bias, (_, c) => `${classIds?.[c] ?? c}`);
    this.classIds = classIds;
    this.hasNames = classNames !== null;
    this.metadata = metadata;
  }

  /**
   * The logits of each row. `evaluate` and `predictFeatures` hold a block of the logits at a time; this holds all.
   *
   * @returns [rows, classes] in row-major order
   * @throws InputError for features of another width
   */
  logits(features: Rows): Float32Array {
    this.#assertWidth(features.width);
    const classes = this.bias.length;
    const all = new Float32Array(features.rows * classes);
    for (const { start, logits } of logitBlocks(this, features)) all.set(logits, start * classes);
    return all;
  }

  /**
   * Measures this probe, a block of rows at a time.
   *
   * @param features as `acceptLabelled` returns them
   * @throws InputError for features of another width
   */
  evaluate(features: LabelledFeatures): Evaluation {
    this.#assertWidth(features.width);
    const evaluation = new RunningEvaluation(this.bias.length);
    for (const { start, end, logits, confidences } of this.blocks(features)) {
      evaluation.add(logits, features.labels.slice(start, end), confidences);
    }
    return evaluation.result();
  }

  /**
   * The logits of features, a block of rows at a time.
   *
   * @throws InputError for features of another width
   */
  blocks(features: Rows & Pick<Features, "metadata">): Generator<LogitBlock, void, undefined> {
    this.#assertWidth(features.width);
    return logitBlocks(this, features, { normalize: this.normalizes(features) });
  }

  /** Whether features are normalised for this probe: it was fitted on normalised ones, and these are not. */
  normalizes({ metadata }: Pick<Features, "metadata">): boolean {
    return this.metadata["normalized"] === "true" && metadata["normalized"] !== "true";
  }

  /**
   * Checks that features are like those the probe was fitted on; they need not be normalised.
   *
   * @throws InputError for features of another width, model, tap or preprocessing
   */
  accept({ width, name, metadata }: Pick<Features, "width" | "name" | "metadata">): void {
    this.#assertWidth(width, name);
    const isNormalized = this.metadata["normalized"] === "true";
    const found = isNormalized ? { ...metadata, normalized: "true" } : metadata;
    assertSameOrigin(this.metadata, found, name, `the probe ${this.name}`);
  }

  /**
   * Checks features as `accept` does, and renumbers their labels to the probe's classes: of the same names if both have names, else of the same
   * labels.
   *
   * @throws InputError as `accept`, and for a class that the probe does not have
   */
  acceptLabelled(features: LabelledFeatures): LabelledFeatures {
    this.accept(features);
    return renumberLabels(features, {
      where: `the probe ${this.name}`,
      count: this.bias.length,
      classNames: this.hasNames ? this.classNames : null,
      ...(this.classIds && { classIds: this.classIds }),
    });
  }

  /**
   * Softmax of the logits: the classes of each row, best first.
   *
   * @param features [rows, width], embedded as the probe's training images were
   * @throws InputError for features of another width
   */
  async scores(features: Tensor2D): Promise<ClassScore[][]> {
    this.#assertWidth(features.shape[1]);
    const loaded = new LoadedLinear(this);
    const scores = loaded.logits(features);
    loaded.dispose();
    return disposing(scores, async (tensor) => {
      const logits = await tensor.array();
      const probabilities = await disposing(softmax(tensor), (of) => of.array());
      return logits.map((row, image) =>
        row
          .map((logit, c) => ({
            label: this.classNames[c]!,
            probability: probabilities[image]![c]!,
            logit,
          }))
          .sort((a, b) => b.logit - a.logit),
      );
    });
  }

  #assertWidth(width: number, where = this.name): void {
    if (width === this.width) return;
    throw new InputError(
      `${where}: features of ${width} numbers, but the probe ${this.name} takes ${this.width}; it was fitted on ` +
        `${this.metadata["model"] ?? "another model"}, tap ${this.metadata["tap"] ?? "visual"}`,
    );
  }
}
