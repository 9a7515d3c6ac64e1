/**
 * The epochs of a fine-tuning run: steps on cached streams, validation, and the state after each epoch.
 *
 * All random numbers come from the seed, or from the state that a run continues from, so a run that was killed and
 * continued has the same weights as one that was not, bit for bit.
 *
 * Sources: wise-ft, src/models/finetune.py; FLYP, src/models/flyp_loss.py.
 * Papers: Wortsman et al., 2022 (arXiv 2109.01903); Goyal et al., "Finetune like you pretrain", 2023 (arXiv 2212.00638).
 */
import type { Clip } from "../../clip/clip.ts";
import type { Loss } from "../../clip/backward.ts";
import { contrastiveLoss } from "../../clip/loss.ts";
import { InputError } from "../../errors/input-error.ts";
import { zeroShotHead } from "../../probe/text-head.ts";
import { disposing } from "../../tensor/disposing.ts";
import type { TorchRandom } from "../../tensor/torch-random.ts";
import { ClassifierHead } from "../../train/classifier-head.ts";
import { crossEntropy } from "../../train/cross-entropy.ts";
import { gradientStep } from "../../train/gradient-step.ts";
import type { Optimizer } from "../../train/optimizer.ts";
import { LossNotFinite } from "../../train/receivers.ts";
import type { Plan } from "../train/plan.ts";
import { measure, zeroShotValues, type CachedImages, type Measured } from "./measure.ts";
import type { EpochResult, FinetuneFolder, FinetuneStep } from "./finetune-folder.ts";
import { saveState, saveWeights, type EpochFigures, type RunProgress } from "./run-state.ts";
import type { FinetuneSettings } from "./settings.ts";
import type { TrainedPart } from "./trained-part.ts";

export interface FinetuneRun {
  readonly model: Clip;
  readonly settings: FinetuneSettings;
  readonly plan: Plan;
  readonly folder: FinetuneFolder;
  readonly classNames: readonly string[];
  readonly part: TrainedPart;
  readonly optimizer: Optimizer;
  readonly train: CachedImages;
  readonly validation: CachedImages | null;
  readonly keepsActivations: boolean;
  readonly onStep: (step: FinetuneStep, imagesPerSecond: number) => void;
  readonly onEpoch: (result: EpochResult) => void;
}

/** Runs the epochs that are left. @returns the figures of the best epoch */
export async function finetuneRun(run: FinetuneRun, start: RunProgress): Promise<EpochFigures> {
  const { settings, folder, optimizer } = run;
  const { random } = start;
  let { best } = start;
  await folder.rewind(optimizer.step, start.epoch);
  if (start.epoch === 0) await report(run, 0, null, await validate(run));
  for (let epoch = start.epoch + 1; epoch <= settings.epochs; epoch++) {
    const loss = await trainEpoch(run, epoch, random, best);
    const measured = await validate(run);
    const figures = { epoch, accuracy: measured?.accuracy ?? null, loss: measured?.loss ?? null };
    if (best === null || isBetter(figures, best)) {
      await saveWeights(folder.best, optimizer);
      best = figures;
    }
    await report(run, epoch, loss, measured);
    await saveState(folder.state, optimizer, { epoch, random, best });
  }
  return best!;
}

/** Without validation images, the last epoch is the best. */
function isBetter(one: EpochFigures, other: EpochFigures): boolean {
  if (one.accuracy === null || other.accuracy === null) return true;
  if (one.accuracy !== other.accuracy) return one.accuracy > other.accuracy;
  return one.loss! < other.loss!;
}

async function report(
  { folder, onEpoch }: FinetuneRun,
  epoch: number,
  loss: number | null,
  measured: Measured | null,
): Promise<void> {
  const result: EpochResult = {
    epoch,
    ...(loss !== null && { train_loss: loss }),
    ...(measured && { val_acc1: measured.accuracy, val_loss: measured.loss }),
  };
  await folder.results.append(result);
  onEpoch(result);
}

/** @returns the mean loss */
async function trainEpoch(
  run: FinetuneRun,
  epoch: number,
  random: TorchRandom,
  best: EpochFigures | null,
): Promise<number> {
  const { model, settings, plan, folder, part, optimizer, train, keepsActivations } = run;
  const { batchSize, gradClipNorm, seed } = settings;
  const { order } = random.loaderEpoch(train.labels.length);
  let sum = 0;
  for (let b = 0; b < plan.batchesPerEpoch; b++) {
    const began = performance.now();
    const images = order.slice(b * batchSize, (b + 1) * batchSize);
    const labels = images.map((i) => train.labels[i]!);
    const rows = settings.loss === "flyp" ? await promptsOf(run, labels, random) : undefined;
    const rate = plan.schedule(optimizer.step);
    const stream = await train.streams.read(images);
    const { loss } = await disposing(stream, () =>
      gradientStep(
        model,
        optimizer,
        { stream: { block: part.block, stream }, ...(rows && { rows }) },
        lossOf(run, labels),
        {
          rate,
          clipNorm: gradClipNorm,
          dropout: { shares: part.dropout, seed },
          lossWeights: part.head?.weights ?? [],
          keepsActivations,
        },
      ),
    ).catch((error: unknown) => {
      throw error instanceof LossNotFinite ? stoppedAt(error, epoch, optimizer.step, best, folder) : error;
    });
    const record = { step: optimizer.step, epoch, loss, lr: rate };
    await folder.steps.append(record);
    run.onStep(record, (1000 * batchSize) / (performance.now() - began));
    sum += loss;
  }
  return sum / plan.batchesPerEpoch;
}

function lossOf({ part: { head }, settings }: FinetuneRun, labels: readonly number[]): Loss {
  if (head === null) return contrastiveLoss;
  return ({ images }) => crossEntropy(head.logits(images!), labels, settings.labelSmoothing);
}

/** A prompt of each image's class, with a template chosen at random. */
async function promptsOf(
  { model, settings: { templates }, classNames }: FinetuneRun,
  labels: readonly number[],
  random: TorchRandom,
): Promise<number[][]> {
  const tokenizer = await model.tokenizer();
  return labels.map((label) => {
    const template = templates[templates.length === 1 ? 0 : random.below(templates.length)]!;
    return [...tokenizer.encode(template.replaceAll("{}", () => classNames[label]!))];
  });
}

function stoppedAt(
  error: LossNotFinite,
  epoch: number,
  steps: number,
  best: EpochFigures | null,
  folder: FinetuneFolder,
): InputError {
  const left =
    best === null
      ? "no weights are saved"
      : `the best weights so far, of epoch ${best.epoch}, are in ${folder.best}`;
  return new InputError(`epoch ${epoch}, step ${steps + 1}: ${error.message}; ${left}`);
}

async function validate({
  model,
  settings,
  part,
  classNames,
  validation,
}: FinetuneRun): Promise<Measured | null> {
  if (validation === null) return null;
  const { batchSize, templates } = settings;
  const options = { block: part.block, batchSize };
  if (part.head !== null) return measure(model, validation, part.head, options);
  const { embeddings, scale } = await zeroShotHead(model, classNames, templates);
  const classifier = new ClassifierHead(zeroShotValues(embeddings, scale, classNames.length));
  try {
    return await measure(model, validation, classifier, options);
  } finally {
    classifier.dispose();
  }
}
