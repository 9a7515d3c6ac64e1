/** `clipscope probe layers`: fits and measures a probe for each block. */
import type { Command } from "commander";
import { layersChart } from "../../lib/draw/charts/layers-chart.ts";
import type { LabelledImages } from "../../lib/features/labelled-images.ts";
import { probeLayers } from "../../lib/node/features/probes.ts";
import { findLabelledImages } from "../../lib/node/images/find-labelled-images.ts";
import { makeFolder } from "../../lib/node/files/make-folder.ts";
import { writeDrawings } from "../../lib/node/files/write-drawings.ts";
import { layerTaps, type LayerFigures } from "../../lib/probe/layers.ts";
import { splitImages } from "../../lib/probe/split-images.ts";
import { best } from "../../lib/tasks/confusions.ts";
import type { Pooling } from "../../lib/tasks/tapped.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { addFitOptions, regressionOptions, type FitOptions } from "../options/fit-options.ts";
import { collect, examples, fraction } from "../options/option-values.ts";
import { figuresOption, normalizeOption, poolOption } from "../options/output-options.ts";
import { addImageOptions, embedOptions, type ImageOptions } from "../options/with-images.ts";
import { withModel } from "../options/with-model.ts";
import { linearChart } from "../terminal/column-chart.ts";
import { percent } from "../terminal/format.ts";
import { layOutTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ImageOptions, FitOptions {
  readonly train: string[];
  readonly test?: string[];
  readonly testFraction?: number;
  readonly out: string;
  readonly pool?: Pooling;
  readonly normalize?: boolean;
  readonly figures?: string;
}

export function register(probe: Command, terminal: Terminal): void {
  const command = probe
    .command("layers")
    .description(
      "Fit a probe on the output of every block of the image tower and on the embedding, and measure each.\n" +
        "All features come from one pass. DIR receives the features and the probes.\n" +
        "An interrupted run continues when started again: DIR/layers.journal keeps its work until all is done.",
    )
    .requiredOption(
      "--train <path>",
      "images to fit on, in one subfolder per class; may be repeated",
      collect,
    )
    .option("--test <path>", "images to test with, in one subfolder per class; may be repeated", collect)
    .option(
      "--test-fraction <number>",
      "instead of --test: hold out this fraction of each class, chosen by --seed",
      fraction,
    )
    .requiredOption("--out <dir>", "directory for features and probes")
    .addOption(poolOption())
    .addOption(normalizeOption())
    .addOption(figuresOption("SVG", "a chart of accuracy by depth"));
  addImageOptions(addFitOptions(command, "--shots and --test-fraction"))
    .addHelpText(
      "after",
      examples(
        "clipscope probe layers --train train/ --test test/ --out layers",
        "clipscope probe layers --train photos/ --test-fraction 0.25 --pool mean --out layers \\",
        "  --figures figures",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await layers(self.optsWithGlobals(), terminal);
    });
}

async function layers(options: Options, terminal: Terminal): Promise<void> {
  const { out, figures: figuresFolder, pool, normalize = false, C, shots, seed } = options;
  const images = await findSplits(options, terminal.report);
  if (images.train.images.length === 0 || images.test.images.length === 0) return; // already reported
  if (figuresFolder !== undefined) await makeFolder(figuresFolder);
  const figures = await withModel(options, terminal, (model) => {
    const stages = {
      train: { total: images.train.images.length, unit: "training images" },
      test: { total: images.test.images.length, unit: "test images" },
      fit: { total: layerTaps(model).length, unit: "layers" },
    };
    return terminal.progress((show) =>
      probeLayers(model, images, out, {
        ...embedOptions(options),
        ...regressionOptions(options),
        normalize,
        ...(pool === undefined ? {} : { pool }),
        ...(C === undefined ? {} : { C }),
        ...(shots === undefined ? {} : { shots }),
        ...(seed === undefined ? {} : { seed }),
        onError: terminal.report,
        onProgress: (stage, done, before) => {
          show({ done, before, ...stages[stage] });
        },
      }),
    );
  });
  await report(figures, options, terminal);
}

async function findSplits(
  { train: given, test, testFraction, seed }: Options,
  onError: (error: InputError) => void,
): Promise<{ train: LabelledImages; test: LabelledImages }> {
  if ((test === undefined) === (testFraction === undefined)) {
    throw new InputError("expected either --test or --test-fraction");
  }
  const train = await findLabelledImages(given, onError);
  if (train.images.length === 0) return { train, test: train };
  if (test !== undefined) return { train, test: await findLabelledImages(test, onError) };
  return splitImages(train, testFraction!, seed);
}

async function report(figures: readonly LayerFigures[], options: Options, terminal: Terminal): Promise<void> {
  const { json = false, figures: folder } = options;
  for (const { tap, converged } of figures) {
    if (!converged)
      terminal.warn(`${tap}: the fit stopped before the minimum; raise --max-iterations, or lower -C`);
  }
  if (folder !== undefined) {
    await writeDrawings(folder, new Map([["layers", layersChart(figures)]]));
  }
  if (json) {
    terminal.printJson(
      figures.map(({ tap, C, converged, trainingAccuracy, acc1, acc5, meanPerClassRecall }) => ({
        tap,
        C,
        converged,
        training_accuracy: trainingAccuracy,
        lp_acc1: acc1,
        lp_acc5: acc5,
        lp_mean_per_class_recall: meanPerClassRecall,
      })),
    );
    return;
  }
  terminal.printLines(layersTable(figures, terminal));
}

function layersTable(figures: readonly LayerFigures[], { width, colors }: Terminal): string[] {
  const accuracies = figures.map(({ acc1 }) => acc1);
  const peak = best(accuracies);
  const { head, rows } = layOutTable(
    [
      { title: "tap", cut: "start" },
      { title: "accuracy", align: "right" },
      { title: "training", align: "right" },
      {},
    ],
    figures.map(({ tap, acc1, trainingAccuracy }, i) => [
      tap,
      percent(acc1),
      percent(trainingAccuracy),
      i === peak ? "best" : "",
    ]),
    { width },
  );
  return [
    colors.bold(head),
    ...rows.map((row, i) => (i === peak ? colors.bold(row) : row)),
    "",
    colors.bold("accuracy by depth"),
    ...linearChart(accuracies, width),
  ];
}
