/** `clipscope finetune`: fine-tunes a model on labelled images. */
import type { Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import type { LabelledImages } from "../../lib/features/labelled-images.ts";
import { finetune, type FinetuneData, type FinetuneResult } from "../../lib/node/finetune/finetune.ts";
import { alignClasses, requireNames } from "../../lib/node/finetune/named-images.ts";
import type { EpochResult } from "../../lib/node/finetune/finetune-folder.ts";
import { findLabelledImages } from "../../lib/node/images/find-labelled-images.ts";
import { splitImages } from "../../lib/probe/split-images.ts";
import {
  addFinetuneOptions,
  finetuneSettings,
  type FinetuneCommandOptions,
} from "../options/finetune-options.ts";
import { examples } from "../options/option-values.ts";
import { readImageList } from "../options/read-image-list.ts";
import { rangeChart } from "../terminal/column-chart.ts";
import { percent, printable } from "../terminal/format.ts";
import type { ShowProgress } from "../terminal/progress-line.ts";
import type { Terminal } from "../terminal/terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("finetune")
    .description(
      "Fine-tune the last blocks of a model on labelled images, or low-rank adapters of them. The blocks before " +
        "them run once for each image. DIR receives a model directory, or adapters in peft's layout, and a " +
        "classifier (head.safetensors) for `clipscope probe`. An interrupted run continues when started again.",
    );
  addFinetuneOptions(command)
    .addHelpText(
      "after",
      examples(
        "clipscope finetune --images train/ --validation validation/ --out tuned",
        "clipscope finetune --images train/ --validation-fraction 0.2 --lora-rank 8 --blocks 4 --out adapter",
        "clipscope finetune --images train/ --validation validation/ --loss flyp --template 'a photo of a {}.' --out flyp",
        "clipscope probe predict --model tuned --probe tuned/head.safetensors photo.jpg",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await run(self.optsWithGlobals(), terminal);
    });
}

async function run(options: FinetuneCommandOptions, terminal: Terminal): Promise<void> {
  terminal.endsWithReader = false;
  const { json = false, model, arch, backend, out } = options;
  const settings = finetuneSettings(options);
  const data = await readData(options, terminal);
  const result = await terminal.progress((show) => {
    let total = 0;
    return finetune(data, settings, {
      ...{ model, arch, backend, out },
      onPlan: (plan) => {
        total = plan.steps;
        terminal.note(`${plan.steps} steps of ${settings.batchSize} images, warm-up ${plan.warmup}`);
      },
      onImages: (done, all, before) => {
        show({ done, total: all, before, unit: "images" });
      },
      onStep: stepProgress(show, () => total),
      onEpoch: (epoch) => {
        if (!json) terminal.print(epochLine(epoch));
      },
    });
  });
  if (json) terminal.printJson(summary(result));
  else terminal.printLines(report(result, terminal));
}

async function readData(options: FinetuneCommandOptions, terminal: Terminal): Promise<FinetuneData> {
  const { validationFraction, validation, validationList, seed } = options;
  const given = [validation, validationList, validationFraction].filter((one) => one !== undefined);
  if (given.length > 1) {
    throw new InputError("expected one of --validation, --validation-list and --validation-fraction");
  }
  const find = async (
    paths: readonly string[] | undefined,
    list: string | undefined,
    where: string,
  ): Promise<LabelledImages> => {
    if ((paths === undefined) === (list === undefined)) {
      throw new InputError("expected either --images or --list, with the training images");
    }
    const found =
      list === undefined
        ? await findLabelledImages(paths!, (error) => {
            throw error;
          })
        : await readImageList(list, terminal.stdin);
    if (found.images.length === 0) throw new InputError(`${where}: no images found`);
    return found;
  };
  const all = requireNames(
    await find(options.images, options.list, "the training images"),
    "the training images",
  );
  if (validationFraction !== undefined) {
    const { train, test } = splitImages(all, validationFraction, seed);
    const { classNames } = all;
    return {
      train: { ...train, labels: train.labels!, classNames },
      validation: { ...test, labels: test.labels!, classNames },
    };
  }
  if (given.length === 0) {
    terminal.warn("no validation images: the last epoch is taken, whether or not it is the best");
    return { train: all, validation: null };
  }
  const where = "the validation images";
  const held = requireNames(await find(validation, validationList, where), where);
  return { train: all, validation: alignClasses(held, all.classNames, "the training images") };
}

function stepProgress(
  show: ShowProgress,
  total: () => number,
): NonNullable<Parameters<typeof finetune>[2]["onStep"]> {
  let before: number | null = null;
  return ({ step, loss, lr }, imagesPerSecond) => {
    before ??= step - 1;
    const facts = `loss ${loss.toPrecision(4)}, lr ${lr.toExponential(1)}, ${imagesPerSecond.toPrecision(3)} images/s`;
    show({ done: step, total: total(), before, unit: "steps", facts });
  };
}

function epochLine({ epoch, train_loss: loss, val_acc1: accuracy, val_loss: held }: EpochResult): string {
  const parts = [
    ...(loss === undefined ? [] : [`training loss ${loss.toFixed(4)}`]),
    ...(accuracy === undefined ? [] : [`validation accuracy ${percent(accuracy)}`]),
    ...(held === undefined ? [] : [`loss ${held.toFixed(4)}`]),
  ];
  return `epoch ${epoch}: ${parts.length === 0 ? "no validation images" : parts.join(", ")}`;
}

function summary({ out, best, startAccuracy, steps, parameters }: FinetuneResult): object {
  return {
    out,
    epoch: best.epoch,
    val_acc1: best.accuracy,
    start_val_acc1: startAccuracy,
    parameters,
    steps: steps.length,
    first_loss: steps[0]?.loss ?? null,
    last_loss: steps.at(-1)?.loss ?? null,
  };
}

function report(
  { out, best, startAccuracy, steps, parameters }: FinetuneResult,
  terminal: Terminal,
): string[] {
  const chart = rangeChart(
    steps.map(({ loss }) => loss),
    terminal.width,
  );
  const chosen =
    best.accuracy === null || startAccuracy === null
      ? `epoch ${best.epoch}`
      : `epoch ${best.epoch}, validation accuracy ${percent(startAccuracy)} to ${percent(best.accuracy)}`;
  if (best.accuracy !== null && startAccuracy !== null && best.accuracy < startAccuracy) {
    terminal.warn("no epoch is as good as the start on the validation images; lower --lr");
  }
  return [...chart, `${printable(out)}: ${parameters} trained numbers, ${steps.length} steps; ${chosen}`];
}
