/** A linear probe: logits = W x + b on the features of a frozen network. */
import { add, matMul, softmax, tensor1d, tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import { normalizeRows } from "../features/features.ts";
import type { Features, LabelledFeatures, Metadata, Rows } from "../features/features.ts";
import { assertSameOrigin } from "../features/origin.ts";
import { disposing } from "../tensor/disposing.ts";
import type { ClassScore } from "../tasks/zero-shot.ts";

/** The parameters of a probe, and what is known about it. */
export interface ProbeParts {
  /** The file's path, for messages. */
  readonly name: string;
  /** [classes, width] in row-major order */
  readonly weight: Float32Array;
  /** [classes] */
  readonly bias: Float32Array;
  /** null: classes have only numbers */
  readonly classNames: readonly string[] | null;
  readonly metadata: Metadata;
}

/** A linear probe. Its file format is in probe-file.ts; predict.ts classifies images with it. */
export class Probe {
  readonly name: string;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly classNames: readonly string[];
  /** The width of the features. */
  readonly width: number;
  readonly metadata: Metadata;
  /** False if the classes have only numbers, which are their names then. */
  readonly hasNames: boolean;

  constructor({ name, weight, bias, classNames, metadata }: ProbeParts) {
    this.name = name;
    this.weight = weight;
    this.bias = bias;
    this.width = weight.length / bias.length;
    this.classNames = classNames ?? Array.from(bias, (_, c) => `${c}`);
    this.hasNames = classNames !== null;
    this.metadata = metadata;
  }

  /**
   * W x + b for each row.
   *
   * @returns [rows, classes] in row-major order
   * @throws InputError for features of another width
   */
  logits({ values, rows, width }: Rows): Float32Array {
    this.#assertWidth(width);
    return logitsOf(this, { values, rows, width });
  }

  /**
   * Prepares features for this probe: normalises them if the probe was fitted on normalised features.
   *
   * @throws InputError for features of another width, model, tap or preprocessing than the probe was fitted on
   */
  accept<T extends Features>(features: T): T {
    this.#assertWidth(features.width, features.name);
    const taken = this.metadata["normalized"] === "true" ? normalizeRows(features) : features;
    assertSameOrigin(this.metadata, taken.metadata, features.name, `the probe ${this.name}`);
    return taken;
  }

  /**
   * As `accept`, with labels renumbered to the probe's classes of the same names, if both have names.
   *
   * @throws InputError as `accept`, and for a class that the probe does not have
   */
  acceptLabelled(features: LabelledFeatures): LabelledFeatures {
    const accepted = this.accept(features);
    const { name, labels, classNames } = accepted;
    if (classNames === null || !this.hasNames) {
      const beyond = labels.findIndex((label) => label >= this.bias.length);
      if (beyond === -1) return accepted;
      throw new InputError(
        `${name}: the label of row ${beyond} is ${labels[beyond]}, but the probe ${this.name} has ${this.bias.length} classes`,
      );
    }
    const numbers = classNames.map((className) => this.classNames.indexOf(className));
    const unknown = labels.find((label) => numbers[label] === -1);
    if (unknown !== undefined) {
      throw new InputError(
        `${name}: the class ${JSON.stringify(classNames[unknown])} does not exist in the probe ${this.name}, which has the classes`,
        this.classNames,
      );
    }
    return { ...accepted, labels: labels.map((label) => numbers[label]!), classNames: this.classNames };
  }

  /**
   * Softmax of the logits: the classes of each row, best first.
   *
   * @param features [rows, width], embedded as the probe's training images were
   * @throws InputError for features of another width
   */
  async scores(features: Tensor2D): Promise<ClassScore[][]> {
    this.#assertWidth(features.shape[1]);
    return disposing(
      tidy(() => applyTo(this, features)),
      async (tensor) => {
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
      },
    );
  }

  #assertWidth(width: number, where = this.name): void {
    if (width === this.width) return;
    throw new InputError(
      `${where}: features of ${width} numbers, but the probe ${this.name} takes ${this.width}; it was fitted on ` +
        `${this.metadata["model"] ?? "another model"}, tap ${this.metadata["tap"] ?? "visual"}`,
    );
  }
}

interface Linear {
  /** [classes, width] in row-major order */
  readonly weight: Float32Array | Float64Array;
  /** [classes] */
  readonly bias: Float32Array | Float64Array;
}

/** W x + b for each row: [rows, classes] in row-major order. */
export function logitsOf(linear: Linear, { values, rows, width }: Rows): Float32Array {
  return tidy(() => applyTo(linear, tensor2d(values, [rows, width])).dataSync<"float32">());
}

function applyTo({ weight, bias }: Linear, features: Tensor2D): Tensor2D {
  const rows = tensor2d(Float32Array.from(weight), [bias.length, weight.length / bias.length]);
  return add(matMul(features, rows, false, true), tensor1d(Float32Array.from(bias)));
}
