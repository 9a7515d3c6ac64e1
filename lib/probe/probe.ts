/**
 * A linear probe: logits = W x + b on frozen features. Its file is enough to predict with.
 *
 * safetensors: `weight` F32 [classes, D], `bias` F32 [classes]; metadata: what made the features (see features.ts),
 * `class_names`, `recipe`, `settings` (JSON), `training_accuracy`.
 */
import { add, matMul, softmax, tensor1d, tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { disposing } from "../tensor/disposing.ts";
import { FileSource } from "../node/files/file-source.ts";
import { writeWhole } from "../node/files/write-file.ts";
import { embedImages, embeddingTap, type EmbedImagesOptions } from "../tasks/embed.ts";
import type { ClassScore } from "../tasks/zero-shot.ts";
import { InputError } from "../errors/input-error.ts";
import { encodeSafetensors, SafetensorsFile } from "../tensor/safetensors.ts";
import { readFloat32, tensorInfo } from "../tensor/store.ts";
import { assertSameOrigin, bytesOf, jsonTexts, normalizeRows } from "../features/features.ts";
import type { Features, LabelledFeatures, Metadata, Rows } from "../features/features.ts";
import { describeImageFeatures } from "../features/origin.ts";

/** Everything that a `Probe` is constructed from. */
export interface ProbeParts {
  /** For messages: the file's path. */
  readonly name: string;
  /** [classes, width], row by row */
  readonly weight: Float32Array;
  /** [classes] */
  readonly bias: Float32Array;
  /** null: the classes are called by their numbers */
  readonly classNames: readonly string[] | null;
  readonly metadata: Metadata;
}

/** Options of `Probe.predict`. */
export type PredictOptions = Pick<EmbedImagesOptions, "batchSize" | "workers" | "onError" | "onProgress">;

/** The scores of one image. */
export interface Prediction {
  readonly path: string;
  /** Best first. */
  readonly scores: ClassScore[];
}

/** A linear classifier on features: logits = features · weightᵀ + bias. */
export class Probe {
  readonly name: string;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly classNames: readonly string[];
  /** Numbers that it takes. */
  readonly width: number;
  readonly metadata: Metadata;
  /** False where classes are called by their numbers. */
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

  /** Reads a probe file. @throws InputError if it is missing, damaged or no probe file */
  static async open(path: string): Promise<Probe> {
    const file = await SafetensorsFile.open(await FileSource.open(path));
    try {
      if (!file.tensors.has("weight") && file.tensors.has("features")) {
        throw new InputError(
          `${path}: expected a probe, found features; "clipscope probe fit" makes one of them`,
        );
      }
      const { shape } = tensorInfo(file, "weight");
      const [classes = 0, width = 0] = shape;
      const biasShape = tensorInfo(file, "bias").shape;
      if (shape.length !== 2 || classes < 2 || width < 1 || biasShape.join() !== `${classes}`) {
        throw new InputError(
          `${path}: expected a probe's weight [classes, D] and bias [classes], found [${shape.join(", ")}] and ` +
            `[${biasShape.join(", ")}]`,
        );
      }
      const classNames = jsonTexts(file.metadata, "class_names", path);
      if (classNames !== null && classNames.length !== classes) {
        throw new InputError(`${path}: ${classNames.length} class names for ${classes} classes`);
      }
      const [weight, bias] = [await readFloat32(file, "weight"), await readFloat32(file, "bias")];
      if (![...weight, ...bias].every(Number.isFinite)) {
        throw new InputError(`${path}: holds numbers that are not finite; fit the probe again`);
      }
      return new Probe({ name: path, weight, bias, classNames, metadata: file.metadata });
    } finally {
      await file.close();
    }
  }

  /** Writes a probe file, whole or not at all. @throws InputError if it cannot be written */
  async save(path: string): Promise<void> {
    const classes = this.bias.length;
    const tensors = [
      { name: "weight", dtype: "F32" as const, shape: [classes, this.width], bytes: bytesOf(this.weight) },
      { name: "bias", dtype: "F32" as const, shape: [classes], bytes: bytesOf(this.bias) },
    ];
    const names = this.hasNames ? { class_names: JSON.stringify(this.classNames) } : {};
    await writeWhole(path, [encodeSafetensors(tensors, { ...this.metadata, ...names })]);
  }

  /**
   * W x + b of each row.
   *
   * @returns [rows, classes], row by row
   * @throws InputError for features of another width
   */
  logits({ values, rows, width }: Rows): Float32Array {
    this.#assertWidth(width);
    return logitsOf(this, { values, rows, width });
  }

  /**
   * Features as this probe takes them: normalised if those were that it was fitted on.
   *
   * @throws InputError if they are of another width, or made by other means than those it was fitted on
   */
  accept<T extends Features>(features: T): T {
    this.#assertWidth(features.width, features.name);
    const taken = this.metadata["normalized"] === "true" ? normalizeRows(features) : features;
    assertSameOrigin(this.metadata, taken.metadata, features.name, `the probe ${this.name}`);
    return taken;
  }

  /**
   * As `accept`, with labels in this probe's numbering: where both have names, names decide.
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
        `${name}: the probe ${this.name} has no class ${JSON.stringify(classNames[unknown])}; its classes are these`,
        this.classNames,
      );
    }
    return { ...accepted, labels: labels.map((label) => numbers[label]!), classNames: this.classNames };
  }

  /**
   * Classifies an image file: the classes, best first.
   *
   * @throws InputError if it cannot be read, or the probe was fitted on another model or preprocessing
   */
  async predict(model: Clip, image: string): Promise<ClassScore[]> {
    for await (const [prediction] of this.predictAll(model, [image])) return prediction!.scores;
    throw new Error(`${image} gave no batch`);
  }

  /** Classifies image files, batch by batch, in their order. @throws InputError as `predict` and `embedImages` */
  async *predictAll(
    model: Clip,
    images: readonly string[],
    options: PredictOptions = {},
  ): AsyncGenerator<Prediction[], void, undefined> {
    const { tap = embeddingTap } = this.metadata;
    if (!tap.startsWith("visual")) {
      throw new InputError(
        `${this.name}: fitted on features of texts, so it cannot classify images; fit one on images`,
      );
    }
    const embedding = embeddingOf(this.metadata);
    const [atHand] = await describeImageFeatures(model, [tap], embedding);
    assertSameOrigin(this.metadata, atHand!, this.name, "the model at hand");
    for await (const { paths, features } of embedImages(model, images, { ...options, ...embedding })) {
      const scores = await disposing(features, () => this.#scores(features));
      yield paths.map((path, i) => ({ path, scores: scores[i]! }));
    }
  }

  async #scores(features: Tensor2D): Promise<ClassScore[][]> {
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
  /** [classes, width], row by row */
  readonly weight: Float32Array | Float64Array;
  /** [classes] */
  readonly bias: Float32Array | Float64Array;
}

/** W x + b of each row. [rows, classes], row by row */
export function logitsOf(linear: Linear, { values, rows, width }: Rows): Float32Array {
  return tidy(() => applyTo(linear, tensor2d(values, [rows, width])).dataSync<"float32">());
}

function applyTo({ weight, bias }: Linear, features: Tensor2D): Tensor2D {
  const rows = tensor2d(Float32Array.from(weight), [bias.length, weight.length / bias.length]);
  return add(matMul(features, rows, false, true), tensor1d(Float32Array.from(bias)));
}

/** How images must be embedded for a probe: as its features were. */
function embeddingOf(metadata: Metadata): EmbedImagesOptions {
  const { tap, pool, normalized, preprocess } = metadata;
  return {
    normalize: normalized === "true",
    exifOrientation: preprocess !== undefined && preprocess.includes('"exif":true'),
    ...(tap === undefined ? {} : { tap }),
    ...(pool === "class" || pool === "mean" ? { pool } : {}),
  };
}
