/** `clipscope train`: OpenCLIP's contrastive training. */
import type { Command } from "commander";
import type { Plan } from "../../lib/node/train/plan.ts";
import type { RunMemory } from "../../lib/node/train/memory.ts";
import type { Pairs } from "../../lib/node/train/pairs.ts";
import { train, type TrainResult } from "../../lib/node/train/train.ts";
import { examples } from "../options/option-values.ts";
import { addTrainOptions, trainSettings, type TrainOptions } from "../options/train-options.ts";
import { rangeChart } from "../terminal/column-chart.ts";
import { byteSize, printable } from "../terminal/format.ts";
import type { ShowProgress } from "../terminal/progress-line.ts";
import type { Terminal } from "../terminal/terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("train")
    .description(
      "Train a model on pairs of images and captions, as open_clip_train 3.3 does, in float32.\n" +
        "Checkpoints are open_clip's: either program continues what the other has begun. A run that was stopped " +
        "continues with --resume latest, with the same weights as without the stop.",
    );
  addTrainOptions(command)
    .addHelpText(
      "after",
      examples(
        "clipscope train --train-data pairs.csv --csv-separator , --lock-image --cache-image-features --epochs 5",
        "clipscope train --train-data 'shards/{000..009}.tar' --lock-image --lock-image-unlocked-groups 1 --lr 1e-5",
        "clipscope train --train-data pairs.csv --val-data val.csv --name mine --resume latest",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await run(self.optsWithGlobals(), terminal);
    });
}

async function run(options: TrainOptions, terminal: Terminal): Promise<void> {
  terminal.endsWithReader = false;
  const { json = false } = options;
  const result = await terminal.progress((show) => {
    let total = 0;
    return train(trainSettings(options), {
      model: options.model,
      arch: options.arch,
      backend: options.backend,
      onPlan: (plan, pairs, memory) => {
        total = plan.steps;
        if (pairs.skipped.length > 0) {
          terminal.warn(
            `${pairs.name}: ${pairs.skipped.length} samples are left out; the first: ${pairs.skipped[0]}`,
          );
        }
        for (const line of [...planNotes(plan, pairs, options), memoryNote(memory)]) terminal.note(line);
      },
      onImages: (done, all, before) => {
        show({ done, total: all, before, unit: "images" });
      },
      onStep: stepProgress(show, () => total),
      onResults: (metrics) => {
        if (!json) terminal.print(resultLine(metrics));
      },
    });
  });
  if (json) terminal.printJson(summary(result));
  else terminal.printLines(report(result, terminal));
}

/** What a user should know before hours of training. */
function planNotes(
  plan: Plan,
  pairs: Pairs,
  { warmup, lockImage, cacheImageFeatures, imageFeatures }: TrainOptions,
): string[] {
  const repeated = pairs.captions.length - new Set(pairs.captions).size;
  const share = Math.round((100 * repeated) / pairs.captions.length);
  return [
    `${plan.steps} steps of ${pairs.captions.length} pairs`,
    ...(warmup === undefined ? [`warm-up: ${plan.warmup} steps (open_clip's default is 10000)`] : []),
    ...(share >= 5
      ? [`${share}% of the captions repeat another one: equal captions in a batch count as wrong answers`]
      : []),
    ...(lockImage === true && cacheImageFeatures !== true && imageFeatures === undefined
      ? ["the image tower is locked: --cache-image-features runs it once per image instead of in every epoch"]
      : []),
  ];
}

function memoryNote(memory: RunMemory): string {
  const {
    process: own,
    weights,
    moments,
    gradients,
    activations,
    allocator,
    total,
    keepsActivations,
  } = memory;
  const how = keepsActivations ? "" : " (blocks are computed again)";
  return (
    `memory: about ${byteSize(total)}: the process ${byteSize(own)}, weights ${byteSize(weights)}, moments ` +
    `${byteSize(moments)}, gradients ${byteSize(gradients)}, activations ${byteSize(activations)}${how}, lost between tensors ` +
    byteSize(allocator)
  );
}

function stepProgress(
  show: ShowProgress,
  total: () => number,
): NonNullable<Parameters<typeof train>[1]["onStep"]> {
  let before: number | null = null;
  return ({ step, loss, lr }, pairsPerSecond) => {
    before ??= step - 1;
    const facts = `loss ${loss.toPrecision(4)}, lr ${lr.toExponential(1)}, ${pairsPerSecond.toPrecision(3)} pairs/s`;
    show({ done: step, total: total(), before, unit: "steps", facts });
  };
}

function resultLine(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name}: ${Number.isInteger(value) ? value : value.toFixed(4)}`)
    .join("  ");
}

function summary({ folder, checkpoint, steps, epochs, history, results, memory }: TrainResult): object {
  const first = history[0];
  const last = history.at(-1);
  return {
    folder,
    checkpoint,
    epochs,
    steps,
    first_loss: first?.loss ?? null,
    last_loss: last?.loss ?? null,
    estimated_memory: Math.round(memory.total),
    peak_memory: 1024 * process.resourceUsage().maxRSS,
    results,
  };
}

function report({ checkpoint, steps, folder, history }: TrainResult, terminal: Terminal): string[] {
  if (checkpoint === null) return [`${printable(folder)}: all epochs are done already`];
  return [
    ...rangeChart(
      history.map(({ loss }) => loss),
      terminal.width,
    ),
    `${printable(checkpoint)}: ${steps} steps, loss ${history[0]!.loss.toPrecision(4)} to ${history.at(-1)!.loss.toPrecision(4)}`,
  ];
}
