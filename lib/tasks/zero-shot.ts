/**
 * Zero-shot classification: a class is represented by the mean direction of its prompts.
 *
 * logits = exp(logit_scale) · î · W, where the columns of W are the embeddings of the classes.
 * Paper: Radford et al., 2021 (arXiv 2103.00020), section 3.1.4. Source: open_clip/zero_shot_classifier.py.
 */
import { softmax, tensor2d, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { clean } from "../text/clean/clean.ts";
import { disposing } from "../tensor/disposing.ts";
import { assertCallback, assertOptions, assertTextList } from "../errors/arguments.ts";
import { InputError } from "../errors/input-error.ts";
import { assertEmbeddings, assertModel } from "../clip/inputs.ts";
import { classEmbeddings } from "./class-embeddings.ts";
import { assertFinite } from "./finite.ts";

/** The score of one class for one image. */
export interface ClassScore {
  readonly label: string;
  /** softmax over all classes, 0…1 */
  readonly probability: number;
  /** exp(logit_scale) · cosine similarity */
  readonly logit: number;
}

/** Options of `zeroShotClassifier`. */
export interface ZeroShotOptions {
  /** Called after each batch with the number of classes done. */
  readonly onProgress?: (done: number) => void;
}

/** Classifies embeddings by their similarity to the embeddings of labels. */
export class ZeroShotClassifier {
  readonly classNames: readonly string[];
  /** [embedDim, classes], columns of norm 1; disposed with the classifier */
  readonly weight: Tensor2D;
  readonly #model: Clip;

  constructor(model: Clip, classNames: readonly string[], weight: Tensor2D) {
    this.#model = model;
    this.classNames = classNames;
    this.weight = weight;
  }

  /**
   * exp(logit_scale) · imageFeatures · weight
   *
   * @param imageFeatures [B, embedDim]; rows of norm 1 are used as they are, and other rows are normalised
   * @returns [B, classes]; the caller disposes it
   * @throws InputError for features of another width, or if the classifier or its model is disposed
   */
  async logits(imageFeatures: Tensor2D): Promise<Tensor2D> {
    if (this.weight.isDisposed) {
      throw new InputError("the classifier is disposed; make another one with zeroShotClassifier");
    }
    assertEmbeddings(imageFeatures, this.weight.shape[0], "image embeddings", "the classifier");
    return disposing(transpose(this.weight), (classes) => this.#model.logits(imageFeatures, classes));
  }

  /**
   * softmax(logits) over the classes
   *
   * @param imageFeatures as for `logits`
   * @returns [B, classes]; the caller disposes it
   * @throws InputError as `logits`
   */
  async probabilities(imageFeatures: Tensor2D): Promise<Tensor2D> {
    return disposing(await this.logits(imageFeatures), (logits) => Promise.resolve(softmax(logits)));
  }

  /**
   * The scores of all classes for each image, best first.
   *
   * @param imageFeatures as for `logits`
   * @throws InputError as `logits`, and for scores that are not finite, which have no order
   */
  async scores(imageFeatures: Tensor2D): Promise<ClassScore[][]> {
    return disposing(await this.logits(imageFeatures), async (logits) => {
      assertFinite(await logits.data());
      const probabilities = await disposing(softmax(logits), (tensor) => tensor.array());
      return (await logits.array()).map((row, image) =>
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

  /** Frees the weight. May be called twice. */
  dispose(): void {
    this.weight.dispose();
  }
}

/**
 * Embeds classes. Several templates are averaged: each prompt is embedded and normalised; a class is the mean of its
 * prompts, normalised again.
 *
 * @param templates each with "{}" where the class name goes; default: the name alone, which suits every language
 * @returns a classifier that the caller disposes
 * @throws InputError for missing, blank or repeated class names, for templates without "{}", and if the model is disposed
 */
export async function zeroShotClassifier(
  model: Clip,
  classNames: readonly string[],
  templates: readonly string[] = ["{}"],
  options: ZeroShotOptions = {},
): Promise<ZeroShotClassifier> {
  assertModel(model, "zeroShotClassifier");
  assertOptions(options, ["onProgress"], "zeroShotClassifier");
  const { onProgress } = options;
  assertCallback(onProgress, "zeroShotClassifier: onProgress");
  const prompts = zeroShotPrompts(classNames, templates);
  const embed = async (texts: readonly string[]): Promise<Float32Array> =>
    disposing(await model.encodeText(texts), (tensor) => tensor.data<"float32">());
  const { values, rows, width } = await classEmbeddings(prompts, embed, {
    ...(onProgress && { onProgress }),
  });
  return new ZeroShotClassifier(
    model,
    [...classNames],
    tidy(() => transpose(tensor2d(values, [rows, width]))),
  );
}

/**
 * The prompts of each class: every template with the class name inserted.
 *
 * @throws InputError as `zeroShotClassifier`
 */
export function zeroShotPrompts(classNames: readonly string[], templates: readonly string[]): string[][] {
  assertTextList(classNames, "class names", "zeroShotClassifier");
  assertTextList(templates, "templates", "zeroShotClassifier");
  if (classNames.length === 0) throw new InputError("expected at least one class name, got none");
  if (templates.length === 0) throw new InputError("expected at least one template, got none");
  const seen = new Map<string, string>();
  for (const [i, name] of classNames.entries()) {
    const cleaned = clean(name);
    if (cleaned === "") throw new InputError(`class name ${i + 1} is blank; remove it`);
    const other = seen.get(cleaned);
    if (other === name) throw new InputError(`the class name ${JSON.stringify(name)} is given twice`);
    if (other !== undefined) {
      throw new InputError(
        `the class names ${JSON.stringify(other)} and ${JSON.stringify(name)} are the same after text cleaning; remove one`,
      );
    }
    seen.set(cleaned, name);
  }
  for (const template of templates) {
    if (!template.includes("{}")) {
      throw new InputError(
        `template ${JSON.stringify(template)}: expected "{}" where the class name goes, as in "a photo of a {}"`,
      );
    }
  }
  // A function, because a replacement string would interpret "$&" and the like.
  return classNames.map((name) => templates.map((template) => template.replaceAll("{}", () => name)));
}
