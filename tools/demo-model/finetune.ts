/**
 * Measures fine-tuning of the demo model against methods on frozen features: accuracy on test images by method, and what
 * is left of a task that nobody trained.
 *
 *   node dist/tools/demo-model/finetune.js [--model DIR] [--tasks fill,position] [--shots 16] [--draws 3] [--count 1000]
 *     [--backend auto]
 *
 * Training, validation and test images come from different seeds. The validation split, of a quarter of the shots per
 * class, decides learning rates, epochs and α; the test split decides nothing.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Jimp } from "jimp";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { requireLabels } from "../../lib/features/features.ts";
import { demoModel, embedImagesToFile, loadModel, readFeatures } from "../../lib/index.ts";
import type { BackendChoice, Clip } from "../../lib/index.ts";
import { finetune } from "../../lib/node/finetune/finetune.ts";
import { Merge } from "../../lib/node/finetune/merge.ts";
import { measureMerge } from "../../lib/node/finetune/measure-merge.ts";
import { requireNames, type NamedImages } from "../../lib/node/finetune/named-images.ts";
import type { FinetuneSettings } from "../../lib/node/finetune/settings.ts";
import { findLabelledImages } from "../../lib/node/images/find-labelled-images.ts";
import { adapt, adaptMethods } from "../../lib/probe/adapt.ts";
import { fitProbe } from "../../lib/probe/fit.ts";
import { meanInterval } from "../../lib/probe/interval.ts";
import { accuracyOf, type Linear } from "../../lib/probe/logits.ts";
import { textHead, zeroShotHead } from "../../lib/probe/text-head.ts";
import { best } from "../../lib/tasks/confusions.ts";
import { imageOf } from "./dataset.ts";
import { imageFeatures } from "./evaluate.ts";
import { fewShotTask, type FewShotTask } from "./few-shot-tasks.ts";

/** None of them is used for training the model or for its evaluation. */
const seeds = { train: 4001, validation: 4101, test: 4201, reference: 4301 };
const size = 84;
const rates = [3e-4, 1e-3, 3e-3];
const alphas = Array.from({ length: 11 }, (_, i) => i / 10);
const referenceTask = "colour and shape";

const common: FinetuneSettings = {
  loss: "ce",
  blocks: 2,
  textBlocks: null,
  lora: null,
  templates: ["{}"],
  batchSize: 16,
  epochs: 20,
  lr: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  wd: 0.1,
  warmup: null,
  gradClipNorm: 1,
  labelSmoothing: 0,
  dropout: 0,
  seed: 0,
};
const tunings: Readonly<Record<string, Partial<FinetuneSettings>>> = {
  "last two blocks": {},
  LoRA: { blocks: 4, lora: { rank: 8, alpha: 16, modules: ["attention", "mlp"], dropout: 0 } },
  FLYP: { loss: "flyp", gradClipNorm: null },
};

/** Accuracies of a method: on the test images, and of the model that it leaves on the reference task, zero-shot. */
interface Figures {
  readonly test: number;
  readonly reference: number;
}

/** The first `perClass` images of each class, or all if it is null, in one folder per class. */
async function writeImages(
  task: FewShotTask,
  seed: number,
  count: number,
  perClass: number | null,
  folder: string,
): Promise<NamedImages> {
  const taken = task.classNames.map(() => 0);
  for (const name of task.classNames) await mkdir(join(folder, name), { recursive: true });
  for (const [index, { scene, label }] of task.examples(seed, count).entries()) {
    if (perClass !== null && taken[label]! >= perClass) continue;
    taken[label]! += 1;
    const { data } = imageOf(scene, seed, index, size, size);
    const image = new Jimp({ data: Buffer.from(data), width: size, height: size });
    await image.write(
      join(folder, task.classNames[label]!, `${`${index}`.padStart(5, "0")}.png`) as `${string}.png`,
    );
  }
  const found = await findLabelledImages([folder], (error) => {
    throw error;
  });
  return requireNames(found, folder);
}

async function featuresOf(model: Clip, images: NamedImages, file: string): Promise<LabelledFeatures> {
  await embedImagesToFile(model, images, file, {
    normalize: true,
    onError: (error) => {
      throw error;
    },
  });
  return requireLabels(await readFeatures(file));
}

/** Zero-shot accuracy on the reference task. */
async function referenceAccuracy(model: Clip, count: number): Promise<number> {
  const task = fewShotTask(referenceTask);
  const examples = task.examples(seeds.reference, count);
  const settings = { seed: seeds.reference, count, split: "test", width: size, height: size } as const;
  const features = await imageFeatures(
    model,
    examples.map(({ scene }) => scene),
    settings,
  );
  const [rows, width] = features.shape;
  const values = new Float32Array(await features.data());
  features.dispose();
  const { embeddings } = await zeroShotHead(model, task.classNames, task.templates);
  const labels = examples.map(({ label }) => label);
  const head = { weight: embeddings, bias: new Float32Array(task.classNames.length) };
  return accuracyOf(head, { values, rows, width, labels });
}

interface Draw {
  readonly task: FewShotTask;
  readonly seed: number;
  readonly train: NamedImages;
  readonly validation: NamedImages;
  readonly test: NamedImages;
  readonly count: number;
  readonly folder: string;
}

interface Run {
  readonly directory: string;
  readonly backend: BackendChoice;
}

/** Methods on the features of the frozen model. */
async function frozen(model: Clip, { task, seed, folder, ...draw }: Draw): Promise<Map<string, Figures>> {
  const splits = {
    train: await featuresOf(model, draw.train, join(folder, "train.safetensors")),
    validation: await featuresOf(model, draw.validation, join(folder, "validation.safetensors")),
    test: await featuresOf(model, draw.test, join(folder, "test.safetensors")),
  };
  const head = await textHead(model, splits.train, task.templates);
  const reference = await referenceAccuracy(model, draw.count);
  const zeroShot: Linear = { weight: head.embeddings, bias: new Float32Array(task.classNames.length) };
  const figures = (linear: Linear): Figures => ({ test: accuracyOf(linear, splits.test), reference });
  return new Map([
    ["zero-shot", figures(zeroShot)],
    ["logistic regression", figures(fitProbe(splits.train).probe)],
    ...adaptMethods.map((method): [string, Figures] => [
      method,
      figures(adapt(splits.train, head, method, splits.validation, { seed }).probe),
    ]),
  ]);
}

/** One kind of fine-tuning; the learning rate is the best on the validation images. WiSE-FT follows the first kind. */
async function tuned(
  name: string,
  { directory, backend }: Run,
  { task, seed, folder, train, validation, test, count }: Draw,
): Promise<Map<string, Figures>> {
  const outs: string[] = [];
  const accuracies: number[] = [];
  for (const lr of rates) {
    const out = join(folder, `${name}-${lr}`.replaceAll(" ", "-"));
    const settings = { ...common, ...tunings[name], lr, seed, templates: task.templates };
    const { best: epoch } = await finetune({ train, validation }, settings, {
      model: directory,
      backend,
      out,
    });
    outs.push(out);
    accuracies.push(epoch.accuracy!);
  }
  const out = outs[best(accuracies)]!;
  const merge = await Merge.open(directory, out);
  try {
    const figuresAt = (alpha: number): Promise<Figures> =>
      merge.withModel(alpha, backend, async (model) => {
        const features = await featuresOf(model, test, join(folder, `test-${alpha}.safetensors`));
        const classes = { classNames: train.classNames, templates: task.templates };
        const classifier = await merge.classifier(model, alpha, backend, classes);
        await rm(join(folder, `test-${alpha}.safetensors`));
        return {
          test: accuracyOf(classifier as Linear, features),
          reference: await referenceAccuracy(model, count),
        };
      });
    const found = new Map([[name, await figuresAt(1)]]);
    if (name !== "last two blocks") return found;
    const measured = await measureMerge(
      merge,
      alphas,
      { target: validation, references: [], templates: null },
      backend,
      () => undefined,
    );
    const chosen = alphas[best(measured.map(({ accuracy }) => accuracy!))]!;
    found.set("WiSE-FT, α on validation", await figuresAt(chosen));
    return found.set("WiSE-FT, α = 0.5", await figuresAt(0.5));
  } finally {
    await merge.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: "string", default: demoModel },
      tasks: { type: "string", default: "fill,position" },
      shots: { type: "string", default: "16" },
      draws: { type: "string", default: "3" },
      count: { type: "string", default: "1000" },
      backend: { type: "string", default: "auto" },
    },
  });
  const [shots, draws, count] = [Number(values.shots), Number(values.draws), Number(values.count)];
  const run: Run = { directory: values.model, backend: values.backend as BackendChoice };
  const model = await loadModel(run.directory, { backend: run.backend });
  for (const name of values.tasks.split(",")) {
    const task = fewShotTask(name);
    const results: Map<string, Figures>[] = [];
    let tested = 0;
    for (let seed = 0; seed < draws; seed++) {
      const folder = await mkdtemp(join(tmpdir(), "clipscope-finetune-"));
      try {
        const pool = 200 * task.classNames.length;
        const split = (
          kind: "train" | "validation" | "test",
          of: number,
          perClass: number | null,
        ): Promise<NamedImages> =>
          writeImages(task, seeds[kind] + (kind === "test" ? 0 : seed), of, perClass, join(folder, kind));
        const draw: Draw = {
          ...{ task, seed, count, folder },
          train: await split("train", pool, shots),
          validation: await split("validation", pool, Math.max(2, shots / 4)),
          test: await split("test", count, null),
        };
        tested = draw.test.labels.length;
        const kinds: Map<string, Figures>[] = [await frozen(model, draw)];
        for (const kind of Object.keys(tunings)) kinds.push(await tuned(kind, run, draw));
        results.push(new Map(kinds.flatMap((kind) => [...kind])));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
    print(name, task.classNames.length, shots, tested, results);
  }
  await model.dispose();
}

function print(
  task: string,
  classes: number,
  shots: number,
  tested: number,
  results: readonly ReadonlyMap<string, Figures>[],
): void {
  console.log(`\n${task}: ${classes} classes, ${shots} training images of each, ${tested} test images\n`);
  console.log(`| method | test accuracy | ${referenceTask}, zero-shot |\n|---|---|---|`);
  for (const method of results[0]!.keys()) {
    const cell = (of: keyof Figures): string => {
      const { mean, half } = meanInterval(results.map((result) => result.get(method)![of]));
      return `${percent(mean)} ± ${percent(half)}`;
    };
    console.log(`| ${method} | ${cell("test")} | ${cell("reference")} |`);
  }
}

const percent = (value: number): string => (100 * value).toFixed(1);

await main();
