/**
 * A training run: epochs of steps, validation and checkpoints, as open_clip_train does them.
 *
 * All random numbers come from the seed, or from the checkpoint that a run continues from, so a run that was killed and
 * continued has the same weights as one that was not, bit for bit.
 *
 * Source: open_clip_train/main.py.
 */
import { tensor2d, tensor4d, type Tensor } from "@tensorflow/tfjs-core";
import type { TrainingCheckpoint, TorchValue } from "../../checkpoint/index.ts";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Dataset } from "../../eval/dataset.ts";
import type { AugmentationRandom } from "../../image/augmentation.ts";
import type { Rows } from "../../features/features.ts";
import { PythonRandom } from "../../tensor/python-random.ts";
import { TorchRandom } from "../../tensor/torch-random.ts";
import { checkpointOf, rebaseTables, restoreOptimizer } from "../../train/checkpoint.ts";
import { trainableWeights } from "../../train/locks.ts";
import { Optimizer } from "../../train/optimizer.ts";
import { LossNotFinite } from "../../train/receivers.ts";
import { trainStep, type PairBatch } from "../../train/step.ts";
import { loadCrops } from "./crop-loader.ts";
import { openCheckpoint } from "./model.ts";
import type { EpochFeatures } from "./image-views.ts";
import type { RunMemory } from "./memory.ts";
import type { Pairs } from "./pairs.ts";
import type { Plan } from "./plan.ts";
import type { RunFolder, StepRecord } from "./run-folder.ts";
import type { TrainSettings } from "./settings.ts";
import { textsAtOnce } from "./texts-at-once.ts";
import { embedPairImages, validate, zeroShot, type Metrics } from "./validate.ts";

/** Everything that a run works with. */
export interface Run {
  readonly model: Clip;
  readonly settings: TrainSettings;
  readonly name: string;
  readonly plan: Plan;
  readonly folder: RunFolder;
  readonly pairs: Pairs;
  /** Normalised features of the pairs' images; null to run the image tower on new crops in each epoch. */
  readonly features: EpochFeatures | null;
  readonly memory: RunMemory;
  readonly validation: Pairs | null;
  readonly zeroshot: Dataset | null;
  /** What the run continues from. */
  readonly checkpoint: TrainingCheckpoint | null;
  /** Called after each step with its figures, and the pairs per second since the last. */
  readonly onStep: (step: StepRecord, pairsPerSecond: number) => void;
  readonly onResults: (metrics: Metrics) => void;
}

export interface RunResult {
  readonly epochs: number;
  readonly steps: number;
  /** The newest checkpoint; null if the run had ended before. */
  readonly checkpoint: string | null;
  readonly results: readonly Metrics[];
}

export async function trainRun(run: Run): Promise<RunResult> {
  const { model, settings, plan, folder, checkpoint } = run;
  const { beta1, beta2, eps: epsilon, wd: weightDecay, locks } = settings;
  const optimizer = await Optimizer.create(model, trainableWeights(model, locks), {
    weightDecay,
    beta1,
    beta2,
    epsilon,
  });
  const results: Metrics[] = [];
  /** The checkpoint that tables read from, which stays open. */
  let base: TrainingCheckpoint | null = null;
  let newest: string | null = null;
  try {
    const firstEpoch = checkpoint?.epoch ?? 0;
    if (checkpoint !== null) {
      await restoreOptimizer(optimizer, checkpoint);
      if (optimizer.step !== firstEpoch * plan.stepsPerEpoch) {
        throw new InputError(
          `${checkpoint.weights.name}: ${optimizer.step} steps in ${firstEpoch} epochs, this run has ${plan.stepsPerEpoch} in each; continue with the same data, --batch-size and --accum-freq, or start anew with --pretrained`,
        );
      }
      await folder.rewind(optimizer.step, firstEpoch);
    }
    const stored = checkpoint?.own.get("random");
    const random =
      (Array.isArray(stored) ? TorchRandom.restore(stored) : null) ?? new TorchRandom(settings.seed);
    const coins = checkpoint?.own.get("python_random");
    const python =
      (Array.isArray(coins) ? PythonRandom.restore(coins) : null) ??
      PythonRandom.seeded(BigInt(settings.seed));
    const validate = validator(run);
    for (let epoch = firstEpoch; epoch < settings.epochs; epoch++) {
      await trainEpoch(
        run,
        optimizer,
        { torch: random, python },
        epoch,
        newest ?? checkpoint?.weights.name ?? null,
      );
      const done = epoch + 1;
      const metrics = await validate(done, random);
      if (Object.keys(metrics).length > 0) {
        results.push(metrics);
        await folder.logResults(metrics);
        run.onResults(metrics);
      }
      const isDue = settings.saveFrequency > 0 && done % settings.saveFrequency === 0;
      const content = (): TorchValue =>
        checkpointOf(model, optimizer, {
          epoch: done,
          name: run.name,
          rate: plan.schedule(optimizer.step - 1),
          own: new Map<string, TorchValue>([
            ["random", random.state],
            ["python_random", python.state],
          ]),
        });
      let saved: string | null = null;
      if (isDue || done === settings.epochs) saved = await folder.save(done, content());
      if (settings.saveMostRecent) saved = await folder.save("latest", content());
      if (settings.deletePreviousCheckpoint && isDue) await folder.deleteCheckpoint(epoch);
      if (saved === null) continue;
      newest = saved;
      const opened = await openCheckpoint(saved);
      await rebaseTables(optimizer, opened);
      await base?.close();
      base = opened;
    }
    return { epochs: settings.epochs, steps: plan.steps, checkpoint: newest, results };
  } finally {
    optimizer.dispose();
    await base?.close();
  }
}

async function trainEpoch(
  run: Run,
  optimizer: Optimizer,
  random: AugmentationRandom,
  epoch: number,
  lastGood: string | null,
): Promise<void> {
  const { model, settings, plan, folder } = run;
  const { batchSize, accumFreq, gradClipNorm, seed, dropout } = settings;
  const shares = new Map([...model.text.dropout].map(([tap, share]) => [tap, dropout ?? share]));
  const { order, workerSeed } = random.torch.loaderEpoch(run.pairs.images.length);
  const features = run.features && (await run.features(epoch));
  const batches = Array.from({ length: plan.batchesPerEpoch }, (_, i) =>
    order.slice(i * batchSize, (i + 1) * batchSize),
  );
  let waiting: PairBatch[] = [];
  let began = performance.now();
  try {
    for await (const batch of pairBatches(run, features, batches, workerSeed, random)) {
      waiting.push(batch);
      if (waiting.length < accumFreq) continue;
      const rate = plan.schedule(optimizer.step);
      const [logitScale = NaN] = await model.logitScale.tensor.data<"float32">();
      const { loss } = await trainStep(model, optimizer, waiting, {
        rate,
        clipNorm: gradClipNorm,
        dropout: { shares, seed },
        textsAtOnce,
        keepsActivations: run.memory.keepsActivations,
      }).catch((error: unknown) => {
        throw error instanceof LossNotFinite ? stoppedAt(error, epoch, optimizer.step, lastGood) : error;
      });
      disposeBatches(waiting);
      waiting = [];
      const record = { step: optimizer.step, epoch: epoch + 1, loss, lr: rate, scale: Math.exp(logitScale) };
      await folder.logStep(record);
      const pairsPerSecond = (1000 * batchSize * accumFreq) / (performance.now() - began);
      began = performance.now();
      if ((record.step - 1) % settings.logEveryNSteps === 0 || record.step % plan.stepsPerEpoch === 0) {
        await folder.log(logLine(run, record, pairsPerSecond));
      }
      run.onStep(record, pairsPerSecond);
    }
  } finally {
    disposeBatches(waiting);
  }
}

function stoppedAt(error: LossNotFinite, epoch: number, steps: number, lastGood: string | null): InputError {
  const left = lastGood === null ? "no checkpoint is written" : `the last good checkpoint is ${lastGood}`;
  return new InputError(`epoch ${epoch + 1}, step ${steps + 1}: ${error.message}; ${left}`);
}

/** open_clip's line of a step. */
function logLine({ plan, pairs, settings }: Run, record: StepRecord, pairsPerSecond: number): string {
  const { step, epoch, loss, lr, scale } = record;
  const inEpoch = step - (epoch - 1) * plan.stepsPerEpoch;
  const samples = inEpoch * settings.batchSize * settings.accumFreq;
  const share = Math.round((100 * inEpoch) / plan.stepsPerEpoch);
  return (
    `Train Epoch: ${epoch - 1} [${samples}/${pairs.images.length} (${share}%)] ${pairsPerSecond.toPrecision(5)}/s ` +
    `LR: ${lr.toFixed(6)} Logit Scale: ${scale.toFixed(3)} Contrastive_loss: ${loss.toPrecision(5)}`
  );
}

async function* pairBatches(
  { model, pairs, settings }: Run,
  features: Rows | null,
  batches: readonly (readonly number[])[],
  workerSeed: bigint,
  random: AugmentationRandom,
): AsyncGenerator<PairBatch, void, undefined> {
  const tokenizer = await model.tokenizer();
  const rowsOf = (batch: readonly number[]): number[][] =>
    batch.map((i) => [...tokenizer.encode(pairs.captions[i]!)]);
  if (features !== null) {
    for (const batch of batches) {
      const values = new Float32Array(batch.length * features.width);
      for (const [at, i] of batch.entries()) {
        values.set(
          features.values.subarray(i * features.width, (i + 1) * features.width),
          at * features.width,
        );
      }
      yield { images: { features: tensor2d(values, [batch.length, features.width]) }, rows: rowsOf(batch) };
    }
    return;
  }
  const [height, width] = model.preprocess.size;
  const { workers, augmentation } = settings;
  const { convertToRgbFirst } = pairs;
  const options = { config: model.preprocess, convertToRgbFirst, augmentation, workers, workerSeed, random };
  let at = 0;
  for await (const values of loadCrops(pairs.images, batches, options)) {
    const batch = batches[at++]!;
    yield { images: { pixels: tensor4d(values, [batch.length, 3, height, width]) }, rows: rowsOf(batch) };
  }
}

function disposeBatches(batches: readonly PairBatch[]): void {
  for (const { images } of batches) for (const tensor of Object.values<Tensor>(images)) tensor.dispose();
}

/** Validates after an epoch, if that is due. Features of a locked image tower are computed once. */
function validator(run: Run): (epoch: number, random: TorchRandom) => Promise<Metrics> {
  const { model, settings, validation, zeroshot } = run;
  const { batchSize, workers, valFrequency, zeroshotFrequency, epochs, locks } = settings;
  const isDue = (epoch: number, frequency: number): boolean =>
    frequency > 0 && (epoch % frequency === 0 || epoch === epochs);
  let kept: Rows | null = null;
  return async (epoch, random) => {
    let metrics: Metrics = {};
    if (zeroshot !== null && isDue(epoch, zeroshotFrequency)) {
      random.skipLoader();
      metrics = await zeroShot(model, zeroshot, batchSize);
    }
    if (validation === null || !isDue(epoch, valFrequency)) return metrics;
    random.skipLoader();
    const images = kept ?? (await embedPairImages(model, validation, { batchSize, workers }));
    if (locks.image?.unlockedGroups === 0) kept = images;
    return { ...metrics, ...(await validate(model, validation, images, { batchSize, epoch })) };
  };
}
