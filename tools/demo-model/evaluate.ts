/**
 * Measures a model directory with clipscope: zero-shot accuracy in every language, on generated images whose
 * combination of colour, shape and background never occurred in training. check.py does the same with OpenCLIP.
 *
 *   node dist/tools/demo-model/evaluate.js [--model DIR] [--seed 1001] [--count 2000] [--split test] [--size 320x240]
 *     [--backend auto] [--precision f32] [--json]
 */
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { concat, matMul, tensor4d } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { transform } from "../../lib/image/transform.ts";
import { demoModel, loadModel } from "../../lib/index.ts";
import type { Clip, LoadOptions } from "../../lib/index.ts";
import { classificationMetrics } from "../../lib/tasks/metrics.ts";
import { zeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { languages } from "./captions.ts";
import type { Language } from "./captions.ts";
import { imageOf, sceneOf } from "./dataset.ts";
import { splits } from "./scene.ts";
import type { Scene, Split } from "./scene.ts";
import { demoTasks, classNames, templates } from "./tasks.ts";
import type { Task } from "./tasks.ts";

export interface Evaluation {
  readonly seed: number;
  readonly count: number;
  readonly split: Split;
  readonly width: number;
  readonly height: number;
}

/** Language → task → fraction of images whose best class is correct. */
export type Accuracies = Record<Language, Record<string, number>>;

const batchSize = 50;

export async function evaluate(
  model: Clip,
  evaluation: Evaluation,
  tasks: readonly Task[] = demoTasks,
): Promise<Accuracies> {
  const { seed, count, split } = evaluation;
  const scenes = Array.from({ length: count }, (_, index) => sceneOf(seed, index, split));
  const features = await imageFeatures(model, scenes, evaluation);
  const found: [Language, Record<string, number>][] = [];
  for (const language of languages) {
    const accuracies: Record<string, number> = {};
    for (const task of tasks) accuracies[task.name] = await accuracy(model, features, scenes, task, language);
    found.push([language, accuracies]);
  }
  features.dispose();
  return Object.fromEntries(found) as Accuracies;
}

/** [images, embedDim], L2-normalised. */
export async function imageFeatures(
  model: Clip,
  scenes: readonly Scene[],
  { seed, width, height }: Evaluation,
): Promise<Tensor2D> {
  const batches: Tensor2D[] = [];
  const [rows, columns] = model.preprocess.size;
  for (let start = 0; start < scenes.length; start += batchSize) {
    const pixels = scenes.slice(start, start + batchSize).map((scene, offset) => {
      const raster = imageOf(scene, seed, start + offset, width, height);
      return transform({ ...raster, mode: "RGB", stride: 4 }, model.preprocess);
    });
    const batch = new Float32Array(pixels.length * 3 * rows * columns);
    for (const [at, image] of pixels.entries()) batch.set(image, at * image.length);
    const input = tensor4d(batch, [pixels.length, 3, rows, columns]);
    batches.push(await model.encodeImage(input, { normalize: true }));
    input.dispose();
  }
  const features = concat(batches, 0);
  for (const batch of batches) batch.dispose();
  return features;
}

async function accuracy(
  model: Clip,
  features: Tensor2D,
  scenes: readonly Scene[],
  task: Task,
  language: Language,
): Promise<number> {
  const classifier = await zeroShotClassifier(model, classNames(task, language), templates(task, language));
  const similarities = matMul(features, classifier.weight);
  const scores = await similarities.data();
  classifier.dispose();
  similarities.dispose();
  const classes = task.classes.length;
  const asked = scenes.flatMap((scene, row) => {
    const label = task.label(scene);
    return label === undefined
      ? []
      : [{ label, scores: scores.subarray(row * classes, (row + 1) * classes) }];
  });
  const rows = asked.flatMap((one) => [...one.scores]);
  const labels = asked.map(({ label }) => label);
  return classificationMetrics(rows, labels, classes).acc1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: "string", default: demoModel },
      seed: { type: "string", default: "1001" },
      count: { type: "string", default: "2000" },
      split: { type: "string", default: "test" },
      size: { type: "string", default: "320x240" },
      backend: { type: "string", default: "auto" },
      precision: { type: "string", default: "f32" },
      json: { type: "boolean", default: false },
    },
  });
  const [width, height] = values.size.split("x").map(Number);
  const split = splits.find((known) => known === values.split);
  if (width === undefined || height === undefined || split === undefined) {
    throw new Error(`evaluate: expected --size WIDTHxHEIGHT and --split ${splits.join(" or ")}`);
  }
  const evaluation: Evaluation = {
    seed: Number(values.seed),
    count: Number(values.count),
    split,
    width,
    height,
  };
  const model = await loadModel(values.model, {
    backend: values.backend as NonNullable<LoadOptions["backend"]>,
    precision: values.precision as NonNullable<LoadOptions["precision"]>,
  });
  const found = await evaluate(model, evaluation);
  await model.dispose();
  if (values.json) {
    console.log(JSON.stringify({ ...evaluation, accuracies: found }));
    return;
  }
  console.log(`${evaluation.count} images of ${values.size}, split ${split}, seed ${evaluation.seed}`);
  console.log(`| language | ${demoTasks.map(({ name }) => name).join(" | ")} |`);
  console.log("|---".repeat(demoTasks.length + 1) + "|");
  for (const language of languages) {
    const row = demoTasks.map(({ name }) => (100 * (found[language][name] ?? NaN)).toFixed(1));
    console.log(`| ${language} | ${row.join(" | ")} |`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
