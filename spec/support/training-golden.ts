/** Goldens of training (tools/golden/training.py), and the runs that repeat them. */
import { gather, tensor4d, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32, readIntegers, tensorInfo } from "../../lib/tensor/store.ts";
import { toFloat64 } from "./float64.ts";
import { trainableWeights, type Locks } from "../../lib/train/locks.ts";
import { Optimizer } from "../../lib/train/optimizer.ts";
import type { Parameter, StatePart } from "../../lib/train/parameter.ts";
import {
  constantSchedule,
  cooldownSchedule,
  cosineSchedule,
  type Schedule,
} from "../../lib/train/schedule.ts";
import { trainStep, type PairBatch, type StepOptions, type StepResult } from "../../lib/train/step.ts";
import { fixture } from "./paths.ts";

export const trainingCases = [
  "full",
  "bert",
  "plain",
  "lock-image",
  "lock-image-1",
  "lock-image-2",
  "lock-text",
  "lock-text-norms",
  "lock-text-1",
  "lock-text-3",
  "plain-lock-text-2",
  "accum-2",
  "accum-3",
  "clip",
  "accum-2-clip",
  "const",
  "cooldown",
  "warmup-too-long",
  "clamp",
  "clamp-at-0",
  "dropout",
];

/** open_clip_train's options, by its names. */
export interface TrainingOptions {
  readonly model: string;
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly wd: number;
  readonly warmup: number;
  readonly epochs: number;
  readonly accum_freq: number;
  readonly grad_clip_norm: number | null;
  readonly lr_scheduler: "cosine" | "const" | "const-cooldown";
  readonly epochs_cooldown: number | null;
  readonly lr_cooldown_power: number;
  readonly lr_cooldown_end: number;
  readonly lock_image: boolean;
  readonly lock_image_unlocked_groups: number;
  readonly lock_text: boolean;
  readonly lock_text_unlocked_layers: number;
  readonly lock_text_freeze_layer_norm: boolean;
  readonly logit_scale: number | null;
  readonly dropout: number;
}

export class TrainingGolden {
  readonly options: TrainingOptions;
  /** The pairs of each batch of each epoch. */
  readonly batches: readonly (readonly (readonly number[])[])[];
  /** In AdamW's numbering. */
  readonly parameters: readonly string[];
  readonly untrained: readonly string[];
  readonly #file: SafetensorsFile;

  private constructor(file: SafetensorsFile) {
    const json = (name: string): unknown => JSON.parse(file.metadata[name]!);
    this.#file = file;
    this.options = json("options") as TrainingOptions;
    this.batches = json("batches") as TrainingGolden["batches"];
    this.parameters = json("parameters") as string[];
    this.untrained = json("untrained") as string[];
  }

  static async open(name: string): Promise<TrainingGolden> {
    const source = await FileSource.open(fixture(`training/${name}.safetensors`));
    return new TrainingGolden(await SafetensorsFile.open(source));
  }

  /** The step numbers at which weights and moments are kept. */
  get kept(): number[] {
    const names = [...this.#file.tensors.keys()];
    const steps = names.filter((name) => name.startsWith("weight.")).map((name) => Number(name.slice(7)));
    return steps.sort((a, b) => a - b);
  }

  /** Samples of `gradient`, `weight`, `mean` or `square` after a step: up to 24 of each parameter. */
  samples(kind: string, step: number): Promise<Float32Array> {
    return readFloat32(this.#file, `${kind}.${step}`);
  }

  /** `loss`, `rate`, `norm` or `scale` of each step. */
  async numbers(name: string): Promise<Float64Array> {
    return toFloat64(tensorInfo(this.#file, name), await this.#file.read(name));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** The model before training. */
  async model(): Promise<Clip> {
    return loadModel(fixture(`training/${this.options.model}`));
  }

  get locks(): Locks {
    const { options } = this;
    return {
      ...(options.lock_image && { image: { unlockedGroups: options.lock_image_unlocked_groups } }),
      ...(options.lock_text && {
        text: {
          unlockedLayers: options.lock_text_unlocked_layers,
          freezeLayerNorm: options.lock_text_freeze_layer_norm,
        },
      }),
    };
  }

  optimizer(model: Clip): Promise<Optimizer> {
    const { wd, beta1, beta2, eps } = this.options;
    const adamw = { weightDecay: wd, beta1, beta2, epsilon: eps };
    return Optimizer.create(model, trainableWeights(model, this.locks), adamw);
  }

  get stepsPerEpoch(): number {
    return Math.floor(this.batches[0]!.length / this.options.accum_freq);
  }

  get schedule(): Schedule {
    const {
      lr: rate,
      warmup,
      epochs,
      lr_scheduler,
      epochs_cooldown,
      lr_cooldown_power,
      lr_cooldown_end,
    } = this.options;
    const steps = this.stepsPerEpoch * epochs;
    const options = { rate, warmup, steps };
    if (lr_scheduler === "const") return constantSchedule(options);
    if (lr_scheduler === "cosine") return cosineSchedule(options);
    const cooldown = this.stepsPerEpoch * epochs_cooldown!;
    return cooldownSchedule({ ...options, cooldown, power: lr_cooldown_power, end: lr_cooldown_end });
  }
}

/** The pairs that the goldens' runs learn. */
export interface TrainingPairs {
  readonly images: Tensor4D;
  readonly rows: readonly (readonly number[])[];
}

/** @param ids start, end and padding */
export async function readPairs(ids: { start: number; end: number }): Promise<TrainingPairs> {
  const file = await SafetensorsFile.open(await FileSource.open(fixture("training/pairs.safetensors")));
  const { shape } = tensorInfo(file, "images");
  const lengths = await readIntegers(file, "lengths");
  const words = await readIntegers(file, "words");
  const perRow = words.length / lengths.length;
  const rows = lengths.map((length, i) => [
    ids.start,
    ...words.slice(i * perRow, i * perRow + length - 2),
    ids.end,
  ]);
  const images = tensor4d(await readFloat32(file, "images"), shape as Tensor4D["shape"]);
  await file.close();
  return { images, rows };
}

/** As tools/golden/reference.py, special_ids. */
export function specialIds(model: string): { start: number; end: number } {
  if (model === "plain") return { start: 46, end: 47 };
  return { start: model === "bert" ? 1 : 0, end: 2 };
}

export function batchOf({ images, rows }: TrainingPairs, chosen: readonly number[]): PairBatch {
  const pixels = gather(images, Int32Array.from(chosen));
  return { images: { pixels }, rows: chosen.map((i) => rows[i]!) };
}

/** Up to 24 evenly spaced numbers of each parameter. */
export async function sampleState(parameters: readonly Parameter[], part: StatePart): Promise<number[][]> {
  const samples: number[][] = [];
  for (const parameter of parameters) {
    const values: number[] = [];
    for await (const piece of parameter.read(part)) values.push(...piece);
    samples.push(samplesOf(values));
  }
  return samples;
}

export function samplesOf(values: ArrayLike<number>): number[] {
  const count = Math.min(values.length, 24);
  return Array.from(
    { length: count },
    (_, i) => values[Math.floor((i * (values.length - 1)) / Math.max(count - 1, 1))]!,
  );
}

/** What a golden's run gives in one step. */
export interface GoldenStep extends StepResult {
  readonly rate: number;
}

/** One epoch of a golden's batches. @param onStep called after each step */
export async function runGoldenEpoch(
  golden: TrainingGolden,
  model: Clip,
  optimizer: Optimizer,
  pairs: TrainingPairs,
  epoch: number,
  onStep: (step: GoldenStep) => Promise<void> | void = () => undefined,
  how: Pick<StepOptions, "textsAtOnce" | "keepsActivations"> = {},
): Promise<void> {
  const { accum_freq: accumulated, grad_clip_norm: clipNorm, dropout } = golden.options;
  const shares = new Map([...model.text.dropout.keys()].map((tap) => [tap, dropout]));
  const chosen = golden.batches[epoch]!;
  for (let i = 0; i + accumulated <= chosen.length; i += accumulated) {
    const batches = chosen.slice(i, i + accumulated).map((one) => batchOf(pairs, one));
    const rate = golden.schedule(optimizer.step);
    const result = await trainStep(model, optimizer, batches, {
      rate,
      clipNorm,
      dropout: { shares, seed: 0 },
      ...how,
    });
    for (const { images } of batches) if ("pixels" in images) images.pixels.dispose();
    await onStep({ ...result, rate });
  }
}
