/** Goldens of fine-tuning (tools/golden/finetune.py), and the runs that repeat them. */
import { gather, tensor, tidy, type Rank } from "@tensorflow/tfjs-core";
import type { Loss } from "../../lib/clip/backward.ts";
import type { Clip } from "../../lib/clip/clip.ts";
import { contrastiveLoss } from "../../lib/clip/loss.ts";
import { peftNames } from "../../lib/checkpoint/peft.ts";
import { runBlocks } from "../../lib/nn/tower.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import type { FinetuneSettings } from "../../lib/node/finetune/settings.ts";
import { trainedPart, type TrainedPart } from "../../lib/node/finetune/trained-part.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32, tensorInfo } from "../../lib/tensor/store.ts";
import { pass } from "../../lib/tensor/taps.ts";
import { TorchRandom } from "../../lib/tensor/torch-random.ts";
import type { Weight } from "../../lib/tensor/weight.ts";
import { crossEntropy } from "../../lib/train/cross-entropy.ts";
import { gradientStep } from "../../lib/train/gradient-step.ts";
import { Optimizer } from "../../lib/train/optimizer.ts";
import { cosineSchedule } from "../../lib/train/schedule.ts";
import type { StepResult } from "../../lib/train/step.ts";
import { toFloat64 } from "./float64.ts";
import { fixture } from "./paths.ts";
import { readPairs, specialIds } from "./training-golden.ts";

export const finetuneCases = ["blocks", "all-blocks", "lora", "flyp"] as const;

interface GoldenOptions {
  readonly lr: number;
  readonly wd: number;
  readonly smoothing: number;
  readonly blocks: number;
  readonly clip: number | null;
  readonly warmup: number;
  readonly rank: number;
  readonly alpha: number;
}

/** Classes of the images: image i has the class i mod 4. */
const classes = 4;

export class FinetuneGolden {
  readonly name: string;
  readonly options: GoldenOptions;
  readonly batches: readonly (readonly number[])[];
  readonly parameters: readonly string[];
  readonly file: SafetensorsFile;

  private constructor(name: string, file: SafetensorsFile) {
    const json = (key: string): unknown => JSON.parse(file.metadata[key]!);
    this.name = name;
    this.file = file;
    this.options = json("options") as GoldenOptions;
    this.batches = json("batches") as number[][];
    this.parameters = json("parameters") as string[];
  }

  static async open(name: string): Promise<FinetuneGolden> {
    const source = await FileSource.open(fixture(`finetune/${name}.safetensors`));
    return new FinetuneGolden(name, await SafetensorsFile.open(source));
  }

  async numbers(name: "loss" | "norm"): Promise<Float64Array> {
    return toFloat64(tensorInfo(this.file, name), await this.file.read(name));
  }

  get settings(): FinetuneSettings {
    const { lr, wd, smoothing, blocks, clip, warmup, rank, alpha } = this.options;
    return {
      loss: this.name === "flyp" ? "flyp" : "ce",
      blocks,
      textBlocks: null,
      lora: this.name === "lora" ? { rank, alpha, modules: ["attention", "mlp"], dropout: 0 } : null,
      templates: ["{}"],
      ...{ lr, wd, warmup, batchSize: 6, epochs: 5, beta1: 0.9, beta2: 0.999, eps: 1e-8 },
      gradClipNorm: clip,
      labelSmoothing: smoothing,
      dropout: 0,
      seed: 0,
    };
  }

  /** What the reference calls a weight: adapters have peft's names. */
  nameOf({ name }: Weight): string {
    const adapter = /^(.*)\.lora_([AB])$/.exec(name);
    if (adapter === null) return name;
    const names = peftNames(adapter[1]!);
    return (adapter[2] === "A" ? names.a : names.b)
      .replace("base_model.model.", "")
      .replace(/\.weight$/, ".default.weight");
  }

  async trainedPart(model: Clip): Promise<TrainedPart> {
    const weight = this.name === "flyp" ? new Float32Array(4) : await readFloat32(this.file, "head.weight");
    const bias = new Float32Array(this.name === "flyp" ? 4 : classes);
    const part = trainedPart(model, this.settings, { weight, bias }, new TorchRandom(0));
    for (const adapter of part.adapters) {
      for (const own of adapter.weights as readonly Weight<Rank.R2>[]) {
        const values = await readFloat32(this.file, `start.${this.nameOf(own)}`);
        own.assign(tidy(() => own.asLoaded(tensor(values, own.shape))));
      }
    }
    return part;
  }
}

/** Repeats a golden's run. @param onStep called after each step */
export async function runFinetuneGolden(
  golden: FinetuneGolden,
  keepsActivations: boolean,
  onStep: (step: StepResult, optimizer: Optimizer) => Promise<void>,
): Promise<void> {
  const { options, settings, batches } = golden;
  const model = await loadModel(fixture("training/multilingual"));
  const part = await golden.trainedPart(model);
  const optimizer = await Optimizer.of(part.weights, {
    ...{ weightDecay: options.wd, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    decays: () => true,
  });
  const pairs = await readPairs(specialIds("multilingual"));
  const schedule = cosineSchedule({ rate: options.lr, warmup: options.warmup, steps: batches.length });
  try {
    for (const batch of batches) {
      const pixels = gather(pairs.images, Int32Array.from(batch));
      const stream = await pass(() => runBlocks(model.visual, pixels, part.block));
      const labels = batch.map((i) => i % classes);
      const { head } = part;
      const loss: Loss = head
        ? ({ images }) => crossEntropy(head.logits(images!), labels, settings.labelSmoothing)
        : contrastiveLoss;
      const rows = head ? {} : { rows: batch.map((i) => pairs.rows[i]!) };
      const result = await gradientStep(
        model,
        optimizer,
        { stream: { block: part.block, stream }, ...rows },
        loss,
        {
          rate: schedule(optimizer.step),
          clipNorm: settings.gradClipNorm,
          dropout: { shares: part.dropout, seed: 0 },
          lossWeights: head?.weights ?? [],
          keepsActivations,
        },
      );
      pixels.dispose();
      stream.dispose();
      await onStep(result, optimizer);
    }
  } finally {
    optimizer.dispose();
    part.dispose();
    pairs.images.dispose();
    await model.dispose();
    await golden.file.close();
  }
}
