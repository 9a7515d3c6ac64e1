/** Prepares a training run and does it: the model, the data, the folder, then epochs (run.ts). */
import { join } from "node:path";
import type { TrainingCheckpoint } from "../../checkpoint/index.ts";
import { InputError } from "../../errors/input-error.ts";
import { lossChart, type LossPoint } from "../../draw/charts/loss-chart.ts";
import type { BackendChoice } from "../../tensor/backend.ts";
import { readDataset } from "../eval/evaluate.ts";
import { exists } from "../files/exists.ts";
import { explainWriting } from "../files/output-path.ts";
import { writeDrawings } from "../files/write-drawings.ts";
import { copyCompanions } from "../models/copy-companions.ts";
import { configName, demoModel, readModelDirectory } from "../models/model-directory.ts";
import { modelName } from "../models/model-name.ts";
import { cachedFeatures, type OnImages } from "./image-features.ts";
import { loadTrainedModel, openCheckpoint } from "./model.ts";
import { planMemory, type RunMemory } from "./memory.ts";
import { readPairs, type Pairs } from "./pairs.ts";
import { planRun, type Plan } from "./plan.ts";
import { RunFolder, type StepRecord } from "./run-folder.ts";
import { trainRun, type Run, type RunResult } from "./run.ts";
import type { TrainSettings } from "./settings.ts";

/** The model of `train`, and who is told of its progress. */
export interface TrainOptions extends Partial<Pick<Run, "onStep" | "onResults">> {
  readonly model?: string | undefined;
  readonly arch?: string | undefined;
  readonly backend: BackendChoice;
  /** Called once the run is planned. */
  readonly onPlan?: (plan: Plan, pairs: Pairs, memory: RunMemory) => void;
  /** Called while images are embedded once. */
  readonly onImages?: OnImages;
}

/** What a run has done. */
export interface TrainResult extends RunResult {
  /** The run's folder. */
  readonly folder: string;
  readonly history: readonly StepRecord[];
  /** As estimated before the first step. */
  readonly memory: RunMemory;
}

/**
 * Trains a model on pairs of images and captions, as open_clip_train does.
 *
 * @throws InputError for settings and data that do not fit, and as `trainRun`
 */
export async function train(settings: TrainSettings, options: TrainOptions): Promise<TrainResult> {
  const { model: directory = demoModel, arch, backend } = options;
  const pairs = await readPairs(settings.trainData, settings.datasetType, settings.table);
  const plan = planRun(pairs.name, samplesOf(pairs, settings), settings);
  const validation =
    settings.valData === null
      ? null
      : await readPairs(settings.valData, settings.datasetType, settings.table);
  const zeroshot = settings.zeroshotData === null ? null : await readDataset(settings.zeroshotData);
  const name = settings.name ?? defaultName(directory, settings);
  const folder = await RunFolder.open(join(settings.logs, name), settings.resume === "latest");
  try {
    const checkpoint = await checkpointOf(settings, folder);
    const choice = { model: directory, arch, backend, pretrained: settings.pretrained, checkpoint };
    const model = await loadTrainedModel(choice);
    try {
      const isCached = settings.imageFeatures !== null || settings.cacheImageFeatures;
      const memory = await planMemory(model, pairs, settings, isCached);
      options.onPlan?.(plan, pairs, memory);
      await folder.writeParameters({
        ...settings,
        table: JSON.stringify(settings.table),
        augmentation: JSON.stringify(settings.augmentation),
        locks: JSON.stringify(settings.locks),
        name,
        model: directory,
      });
      await copyConfig(directory, arch, folder);
      await folder.log(`${plan.steps} steps, ${pairs.images.length} pairs`);
      if (checkpoint === null) await folder.rewind(0, 0);
      const onImages = options.onImages ?? ((): void => undefined);
      const features = await cachedFeatures(model, pairs, settings, folder.path, onImages);
      const result = await trainRun({
        ...{ model, settings, name, plan, folder, pairs, features, memory, validation, zeroshot, checkpoint },
        onStep: options.onStep ?? ((): void => undefined),
        onResults: options.onResults ?? ((): void => undefined),
      });
      const history = await folder.steps();
      await drawLoss(folder, plan, history);
      return { ...result, folder: folder.path, history, memory };
    } finally {
      await model.dispose();
      await checkpoint?.close();
    }
  } finally {
    await folder.close();
  }
}

/** The pairs of an epoch. */
function samplesOf({ name, images }: Pairs, { trainNumSamples }: TrainSettings): number {
  if (trainNumSamples === null) return images.length;
  if (trainNumSamples <= images.length) return trainNumSamples;
  throw new InputError(
    `--train-num-samples ${trainNumSamples}: ${name} has ${images.length} pairs; lower it, or leave it out`,
  );
}

/** So that `convert` makes a model directory of a checkpoint. */
async function copyConfig(
  directory: string,
  arch: string | undefined,
  { checkpoints }: RunFolder,
): Promise<void> {
  const files = await readModelDirectory(directory, arch);
  const isDescribed =
    arch !== undefined || files.layout !== undefined || (await exists(join(files.path, configName)));
  if (!isDescribed) return;
  await copyCompanions(files, arch ?? null, checkpoints).catch((error: unknown) => {
    throw explainWriting(checkpoints, error);
  });
}

/** As open_clip's: date and settings. */
function defaultName(model: string, { lr, batchSize, workers }: TrainSettings): string {
  const date = new Date().toISOString().slice(0, 19).replaceAll(":", "_").replace("T", "-");
  return [
    date,
    `model_${modelName(join(model, "weights")).replaceAll("/", "-")}`,
    `lr_${lr}`,
    `b_${batchSize}`,
    `j_${workers}`,
    "p_fp32",
  ].join("-");
}

async function checkpointOf(
  { resume }: TrainSettings,
  folder: RunFolder,
): Promise<TrainingCheckpoint | null> {
  const path = resume === "latest" ? await folder.latest() : resume;
  if (path === null) return null;
  const checkpoint = await openCheckpoint(path);
  if (checkpoint.epoch !== null) return checkpoint;
  await checkpoint.close();
  throw new InputError(
    `${path}: holds weights alone, without an epoch to continue from; begin with them by --pretrained ${path}`,
  );
}

async function drawLoss(folder: RunFolder, plan: Plan, history: readonly StepRecord[]): Promise<void> {
  if (history.length === 0) return;
  const results = await folder.results();
  const validation = results.flatMap(({ clip_val_loss: loss, epoch }): LossPoint[] =>
    loss === undefined || epoch === undefined ? [] : [{ step: epoch * plan.stepsPerEpoch, loss }],
  );
  await writeDrawings(folder.path, new Map([["loss", lossChart(history, validation)]]));
}
