/** Fine-tunes a model on labelled images: caches what the frozen blocks compute, trains (run.ts), writes the result. */
import { getBackend } from "@tensorflow/tfjs-core";
import { join } from "node:path";
import { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { digestImages } from "../../features/labelled-images.ts";
import { modelDigest } from "../../features/model-digest.ts";
import { lossChart, type LossPoint } from "../../draw/charts/loss-chart.ts";
import { zeroShotHead } from "../../probe/text-head.ts";
import type { BackendChoice } from "../../tensor/backend.ts";
import { TorchRandom } from "../../tensor/torch-random.ts";
import { towerActivations, typicalTokens } from "../../train/memory.ts";
import { Optimizer } from "../../train/optimizer.ts";
import { writeDrawings } from "../files/write-drawings.ts";
import { nodeHost } from "../host.ts";
import { demoModel, readModelDirectory, type ModelDirectory } from "../models/model-directory.ts";
import { modelName } from "../models/model-name.ts";
import { readTokenizer } from "../models/read-tokenizer.ts";
import { loadTrainedModel } from "../train/model.ts";
import { planRun, type Plan } from "../train/plan.ts";
import { FinetuneFolder, type FinetuneStep } from "./finetune-folder.ts";
import { zeroShotValues, type CachedImages } from "./measure.ts";
import { headName, modelWeightsName, tunedStore, writeAdapters, writeHead, writeModel } from "./result.ts";
import type { NamedImages } from "./named-images.ts";
import { finetuneRun, type FinetuneRun } from "./run.ts";
import { readWeights, restoreState, type EpochFigures } from "./run-state.ts";
import type { FinetuneSettings } from "./settings.ts";
import { cacheStreams, type OnImages } from "./stream-cache.ts";
import { trainedPart, type TrainedPart } from "./trained-part.ts";

/** The images of a run. */
export interface FinetuneData {
  readonly train: NamedImages;
  /** With the training images' classes; decides the epoch, and nothing else. */
  readonly validation: NamedImages | null;
}

/** The model of `finetune`, and who is told of its progress. */
export interface FinetuneOptions extends Partial<Pick<FinetuneRun, "onStep" | "onEpoch">> {
  readonly model?: string | undefined;
  readonly arch?: string | undefined;
  readonly backend: BackendChoice;
  /** The folder of the run and of its result. */
  readonly out: string;
  readonly onPlan?: (plan: Plan, model: Clip) => void;
  /** Called while the frozen blocks run. */
  readonly onImages?: OnImages;
}

/** What a run has done. */
export interface FinetuneResult {
  readonly out: string;
  readonly best: EpochFigures;
  /** On the validation images, before training; null without them. */
  readonly startAccuracy: number | null;
  readonly steps: readonly FinetuneStep[];
  /** The numbers that were trained. */
  readonly parameters: number;
}

/** In bytes: if a step's activations are estimated to take more, blocks are computed again. */
const mostActivations = 2e9;

/**
 * Fine-tunes a model on labelled images, and writes the result into a folder. The same call continues a run that was
 * stopped.
 *
 * @throws InputError for settings and data that do not fit, a loss that is not finite, or a full disk
 */
export async function finetune(
  data: FinetuneData,
  settings: FinetuneSettings,
  options: FinetuneOptions,
): Promise<FinetuneResult> {
  const { model: directory = demoModel, arch, backend, out } = options;
  const { train } = data;
  if (train.classNames.length < 2) {
    throw new InputError("the training images: one class, expected two or more, each in a folder of its own");
  }
  const plan = planRun("the training images", train.labels.length, planSettings(settings), "images");
  const files = await readModelDirectory(directory, arch);
  const folder = await FinetuneFolder.open(out);
  try {
    const model = await loadTrainedModel({
      model: directory,
      arch,
      backend,
      pretrained: null,
      checkpoint: null,
    });
    try {
      options.onPlan?.(plan, model);
      await folder.begin({
        ...settings,
        model: modelName(model.weights.store.name),
        image_tower: await modelDigest(model, "image"),
        text_tower: await modelDigest(model, "text"),
        train: await digestImages(nodeHost.files, train),
        validation: data.validation && (await digestImages(nodeHost.files, data.validation)),
        backend: getBackend(),
      });
      return await tune({ model, files, folder, plan, data, settings, options });
    } finally {
      await model.dispose();
    }
  } finally {
    await folder.close();
  }
}

interface Tuning {
  readonly model: Clip;
  readonly files: ModelDirectory;
  readonly folder: FinetuneFolder;
  readonly plan: Plan;
  readonly data: FinetuneData;
  readonly settings: FinetuneSettings;
  readonly options: FinetuneOptions;
}

async function tune(tuning: Tuning): Promise<FinetuneResult> {
  const { model, folder, plan, data, settings, options } = tuning;
  const { classNames } = data.train;
  const random = new TorchRandom(settings.seed);
  const { embeddings, scale } = await zeroShotHead(model, classNames, settings.templates);
  const part = trainedPart(model, settings, zeroShotValues(embeddings, scale, classNames.length), random);
  const caches: CachedImages[] = [];
  let optimizer: Optimizer | null = null;
  try {
    for (const split of ["train", "validation"] as const) {
      const images = data[split];
      if (images === null) continue;
      const streams = await cacheStreams(model, images, folder.streams(split), {
        block: part.block,
        batchSize: 8,
        key: { block: `${part.block}`, settings: folder.path },
        onImages: options.onImages ?? ((): void => undefined),
      });
      caches.push({ labels: images.labels, streams });
    }
    const { beta1, beta2, eps: epsilon, wd: weightDecay } = settings;
    // As in wise-ft and FLYP, all weights decay.
    const adamw = { weightDecay, beta1, beta2, epsilon, decays: (): boolean => true };
    optimizer = await Optimizer.of(part.weights, adamw);
    const best = await finetuneRun(
      {
        ...{ model, settings, plan, folder, classNames, part, optimizer },
        train: caches[0]!,
        validation: caches[1] ?? null,
        keepsActivations: activationsOf(model, part, settings) <= mostActivations,
        onStep: options.onStep ?? ((): void => undefined),
        onEpoch: options.onEpoch ?? ((): void => undefined),
      },
      (await restoreState(folder.state, optimizer)) ?? { epoch: 0, random, best: null },
    );
    await writeResult(tuning, part, best);
    const [start] = await folder.results.read();
    const steps = await folder.steps.read();
    await drawLoss(folder, plan, steps);
    await folder.finish();
    const parameters = part.weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    return { out: folder.path, best, startAccuracy: start?.val_acc1 ?? null, steps, parameters };
  } finally {
    optimizer?.dispose();
    part.dispose();
    for (const { streams } of caches) await streams.close();
  }
}

async function writeResult(
  { model, files, folder, settings, data, options }: Tuning,
  { adapters, head }: TrainedPart,
  best: EpochFigures,
): Promise<void> {
  const { lora, templates, loss } = settings;
  const { classNames } = data.train;
  const values = await readWeights(folder.best);
  const store = tunedStore(join(folder.path, modelWeightsName), model.weights.store, values, adapters);
  if (lora === null) await writeModel(folder.path, files, options.arch, store);
  else {
    const base = modelName(model.weights.store.name);
    await writeAdapters(folder.path, base, adapters, values, lora);
  }
  // It reads the base's store, which `model` closes.
  const tuned = new Clip({
    config: files.config,
    store,
    preprocess: files.preprocess,
    loadTokenizer: () => readTokenizer(files),
  });
  try {
    const text = head === null ? await zeroShotHead(tuned, classNames, templates) : null;
    const classifier = text
      ? zeroShotValues(text.embeddings, text.scale, classNames.length)
      : { weight: values.get("head.weight")!, bias: values.get("head.bias")! };
    await writeHead(join(folder.path, headName), tuned, classifier, {
      classNames,
      recipe: loss === "ce" ? "finetune" : "flyp",
      settings: { ...settings, ...best },
    });
  } finally {
    tuned.weights.dispose();
  }
}

function activationsOf({ visual, text }: Clip, { block }: TrainedPart, settings: FinetuneSettings): number {
  const { batchSize, loss } = settings;
  const [tokens] = visual.positionalEmbedding.shape;
  const ofText = loss === "flyp" ? towerActivations(text.blocks, batchSize, typicalTokens) : 0;
  return towerActivations(visual.blocks.slice(block), batchSize, tokens) + ofText;
}

function planSettings({ batchSize, epochs, lr, warmup }: FinetuneSettings): Parameters<typeof planRun>[2] {
  return {
    ...{ batchSize, epochs, lr, warmup },
    accumFreq: 1,
    lrScheduler: "cosine",
    epochsCooldown: null,
    lrCooldownEnd: 0,
    lrCooldownPower: 1,
  };
}

async function drawLoss(folder: FinetuneFolder, plan: Plan, steps: readonly FinetuneStep[]): Promise<void> {
  const results = await folder.results.read();
  const validation = results.flatMap(({ epoch, val_loss: loss }): LossPoint[] =>
    loss === undefined ? [] : [{ step: epoch * plan.stepsPerEpoch, loss }],
  );
  await writeDrawings(folder.path, new Map([["loss", lossChart(steps, validation)]]));
}
