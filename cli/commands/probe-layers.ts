/** `clipscope probe layers`. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { findLabelledImages, type LabelledImages } from "../../lib/node/images/labelled-images.ts";
import { makeFolder } from "../../lib/node/files/write-file.ts";
import { writePictures } from "../../lib/node/files/write-png.ts";
import { layerTaps, probeLayers, splitImages, type LayerFigures } from "../../lib/probe/layers.ts";
import { layersPicture } from "../../lib/probe/pictures.ts";
import { best } from "../../lib/probe/evaluate.ts";
import type { Pooling } from "../../lib/tasks/tapped.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import {
  balancedOption,
  maxIterationsOption,
  shotsOption,
  strengthOption,
  wholeNumber,
  type FitOptions,
} from "../options/fit-options.ts";
import { withModel } from "../options/model.ts";
import {
  batchOption,
  collect,
  embedOptions,
  examples,
  exifOption,
  picturesOption,
  poolOption,
  weightsOption,
  type ImageOptions,
} from "../options/options.ts";
import { linearPlot } from "../terminal/plot.ts";
import { fitEnd, percent, widest } from "../terminal/table.ts";
import type { Progress, Terminal } from "../terminal/terminal.ts";

interface Options extends ImageOptions, FitOptions {
  readonly train: string[];
  readonly test?: string[];
  readonly testFraction?: number;
  readonly out: string;
  readonly pool?: Pooling;
  readonly normalize?: boolean;
  readonly pictures?: string;
}

export function registerLayers(probe: Command, terminal: Terminal): void {
  probe
    .command("layers")
    .summary("fit a probe on every block's output")
    .description(
      "Fits a probe on the output of every block of the image tower and on the embedding, and measures each.\n" +
        "All features come from one pass; FOLDER gets them and the probes.\n" +
        "Stopped and started again it continues; until it is done, FOLDER/layers.journal keeps the work.",
    )
    .requiredOption(
      "--train <path>",
      "images to fit on, with a folder for each class; may be repeated",
      collect,
    )
    .option("--test <path>", "images to test with, likewise", collect)
    .addOption(
      new Option(
        "--test-fraction <part>",
        "in place of --test: keep this part of each class out, chosen by --seed",
      ).argParser(fraction),
    )
    .requiredOption("--out <folder>", "folder for features and probes")
    .addOption(poolOption())
    .option("--normalize", "divide each row of features by its L2 norm")
    .addOption(strengthOption())
    .addOption(maxIterationsOption())
    .addOption(balancedOption())
    .addOption(shotsOption())
    .option("--seed <n>", "of --shots and --test-fraction (default: 0)", wholeNumber)
    .addOption(picturesOption("accuracy against depth"))
    .addOption(exifOption())
    .addOption(batchOption())
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope probe layers --train train/ --test test/ --out layers",
        "clipscope probe layers --train photos/ --test-fraction 0.25 --pool mean --out layers \\",
        "  --pictures pictures",
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await layers(command.optsWithGlobals(), terminal);
    });
}

async function layers(options: Options, terminal: Terminal): Promise<void> {
  const { out, pictures, pool, normalize = false, C, maxIterations, balanced = false, shots, seed } = options;
  const report = (error: InputError): void => {
    terminal.report(error);
  };
  const images = await findSplits(options, report);
  if (images.train.images.length === 0 || images.test.images.length === 0) return; // reported by now
  if (pictures !== undefined) await makeFolder(pictures);
  const figures = await withModel(options, terminal, async (model) => {
    const stages = {
      train: { total: images.train.images.length, unit: "images to fit on" },
      test: { total: images.test.images.length, unit: "images to test with" },
      fit: { total: layerTaps(model).length, unit: "layers" },
    };
    let shown: { readonly stage: string; readonly progress: Progress } | undefined;
    try {
      return await probeLayers(model, images, out, {
        ...embedOptions(options),
        normalize,
        ...(pool === undefined ? {} : { pool }),
        ...(C === undefined ? {} : { C }),
        ...(maxIterations === undefined ? {} : { maxIterations }),
        ...(balanced ? { classWeight: "balanced" } : {}),
        ...(shots === undefined ? {} : { shots }),
        ...(seed === undefined ? {} : { seed }),
        onError: report,
        onProgress: (stage, done, before) => {
          if (shown?.stage !== stage) {
            shown?.progress.stop();
            shown = { stage, progress: terminal.progress(stages[stage].total, stages[stage].unit) };
          }
          shown.progress.update(done, before);
        },
      });
    } finally {
      shown?.progress.stop();
    }
  });
  await show(figures, options, terminal);
}

async function findSplits(
  { train: given, test, testFraction, seed }: Options,
  report: (error: InputError) => void,
): Promise<{ train: LabelledImages; test: LabelledImages }> {
  if ((test === undefined) === (testFraction === undefined)) {
    throw new InputError("expected --test or --test-fraction, one of the two");
  }
  const train = await findLabelledImages(given, report);
  if (train.images.length === 0) return { train, test: train };
  if (test !== undefined) return { train, test: await findLabelledImages(test, report) };
  return splitImages(train, testFraction!, seed);
}

async function show(figures: readonly LayerFigures[], options: Options, terminal: Terminal): Promise<void> {
  const { json = false, pictures } = options;
  if (pictures !== undefined) {
    await writePictures(pictures, new Map([["layers", await layersPicture(figures)]]));
  }
  if (json) {
    terminal.printJson(
      figures.map(({ tap, C, trainingAccuracy, acc1, acc5, meanPerClassRecall }) => ({
        tap,
        C,
        training_accuracy: trainingAccuracy,
        lp_acc1: acc1,
        lp_acc5: acc5,
        lp_mean_per_class_recall: meanPerClassRecall,
      })),
    );
    return;
  }
  for (const line of layersTable(figures, terminal)) terminal.print(line);
}

function layersTable(figures: readonly LayerFigures[], { width, colors }: Terminal): string[] {
  const rest = "  accuracy  training  best".length;
  const nameWidth = Math.min(widest(figures.map(({ tap }) => tap)), Math.max(8, width - rest));
  const accuracies = figures.map(({ acc1 }) => acc1);
  const peak = best(accuracies);
  const rows = figures.map(({ tap, acc1, trainingAccuracy }, i) => {
    const row = fitEnd(tap, nameWidth) + percent(acc1).padStart(10) + percent(trainingAccuracy).padStart(10);
    return i === peak ? colors.bold(`${row}  best`) : row;
  });
  const head = "tap".padEnd(nameWidth) + "accuracy".padStart(10) + "training".padStart(10);
  return [colors.bold(head), ...rows, "", colors.bold("accuracy by depth"), ...linearPlot(accuracies, width)];
}

function fraction(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError("Expected a number between 0 and 1.");
  return value;
}
