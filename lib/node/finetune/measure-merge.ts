/** Accuracy of merged models, by α: of the target task with their classifier, of reference tasks zero-shot. */
import type { Clip } from "../../clip/clip.ts";
import type { Dataset } from "../../eval/dataset.ts";
import { InputError } from "../../errors/input-error.ts";
import { best } from "../../tasks/confusions.ts";
import { disposing } from "../../tensor/disposing.ts";
import type { BackendChoice } from "../../tensor/backend.ts";
import { ClassifierHead, type LinearValues } from "../../train/classifier-head.ts";
import { embedLoadedImages } from "../../tasks/embed-images.ts";
import { evaluate } from "../eval/evaluate.ts";
import { loadImages } from "../images/embed-images.ts";
import type { Merge } from "./merge.ts";
import { alignClasses, type NamedImages } from "./named-images.ts";

export interface MergeTasks {
  /** Decides α. */
  readonly target: NamedImages | null;
  readonly references: readonly Dataset[];
  /** Null: those of the tuned classifier. */
  readonly templates: readonly string[] | null;
}

export interface AlphaFigures {
  readonly alpha: number;
  /** Of the target task; null without one. */
  readonly accuracy: number | null;
  /** Of the reference tasks, by their names. */
  readonly references: Readonly<Record<string, number>>;
}

/** @throws InputError for images or classes that do not fit */
export async function measureMerge(
  merge: Merge,
  alphas: readonly number[],
  { target, references, templates }: MergeTasks,
  backend: BackendChoice | undefined,
  onProgress: (done: number, total: number) => void,
): Promise<AlphaFigures[]> {
  const { head } = merge;
  const own = head && merge.classesOf(head);
  const classNames = own?.classNames ?? target?.classNames ?? [];
  const classes = { classNames, templates: templates ?? own?.templates ?? ["{}"] };
  const images = target && head ? alignClasses(target, head.classNames, head.name) : target;
  const total = alphas.length * (references.length + (images ? 1 : 0));
  let done = 0;
  const figures: AlphaFigures[] = [];
  for (const alpha of alphas) {
    const of = await merge.withModel(alpha, backend, async (model) => {
      onProgress(done, total);
      let accuracy: number | null = null;
      if (images !== null) {
        const classifier = await merge.classifier(model, alpha, backend, classes);
        accuracy = await accuracyOf(model, images, classifier);
        onProgress(++done, total);
      }
      const others: Record<string, number> = {};
      for (const dataset of references) {
        others[dataset.name] = await mainFigure(model, dataset);
        onProgress(++done, total);
      }
      return { alpha, accuracy, references: others };
    });
    figures.push(of);
  }
  return figures;
}

async function accuracyOf(
  model: Clip,
  { images, labels }: NamedImages,
  values: LinearValues,
): Promise<number> {
  const classifier = new ClassifierHead(values);
  try {
    let right = 0;
    const loaded = loadImages(model, images);
    for await (const { features, indices } of embedLoadedImages(model, loaded, { normalize: true })) {
      const tensor = await disposing(features, () => Promise.resolve(classifier.logits(features)));
      const logits = await disposing(tensor, (rows) => rows.data<"float32">());
      const classes = logits.length / indices.length;
      for (const [row, index] of indices.entries()) {
        if (best(logits.subarray(row * classes, (row + 1) * classes)) === labels[index]) right += 1;
      }
    }
    return right / images.length;
  } finally {
    classifier.dispose();
  }
}

/** The figure that stands for a task: accuracy, or recall of the image among the five best. */
const mainFigures = ["acc1", "mean_average_precision", "image_retrieval_recall@5", "acc"];

async function mainFigure(model: Clip, dataset: Dataset): Promise<number> {
  const { metrics } = await evaluate(model, dataset);
  const name = mainFigures.find((one) => typeof metrics[one] === "number");
  if (name === undefined) throw new InputError(`${dataset.name}: no accuracy to compare`);
  return metrics[name] as number;
}
