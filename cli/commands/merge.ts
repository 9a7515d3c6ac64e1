/** `clipscope merge`: WiSE-FT's interpolation of two models, and folding of adapters. */
import { InvalidArgumentError, type Command } from "commander";
import { alphaChart, type AlphaCurve } from "../../lib/draw/charts/alpha-chart.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { LabelledImages } from "../../lib/features/labelled-images.ts";
import { readDataset } from "../../lib/node/eval/evaluate.ts";
import { Merge } from "../../lib/node/finetune/merge.ts";
import { measureMerge, type AlphaFigures, type MergeTasks } from "../../lib/node/finetune/measure-merge.ts";
import { requireNames } from "../../lib/node/finetune/named-images.ts";
import { makeFolder } from "../../lib/node/files/make-folder.ts";
import { writeDrawings } from "../../lib/node/files/write-drawings.ts";
import { findLabelledImages } from "../../lib/node/images/find-labelled-images.ts";
import { best } from "../../lib/tasks/confusions.ts";
import { withNewFolder } from "../../tools/convert/new-folder.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { collect, examples } from "../options/option-values.ts";
import { figuresOption, templateOption } from "../options/output-options.ts";
import { readImageList } from "../options/read-image-list.ts";
import { percent, printable } from "../terminal/format.ts";
import { layOutTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly alpha?: number[];
  readonly validation?: string[];
  readonly validationList?: string;
  readonly reference?: string[];
  readonly template?: string[];
  readonly out?: string;
  readonly force?: boolean;
  readonly figures?: string;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("merge")
    .description(
      "Interpolate the weights of a model and of a tuned one: (1 - alpha) BASE + alpha TUNED (WiSE-FT), with their " +
        "classifiers. TUNED may be a folder with adapters in peft's layout, which are folded into BASE.\n" +
        "With --validation or --reference, measures every alpha. DIR receives the model of the best, or the only one.",
    )
    .argument("<base>", "model directory")
    .argument("<tuned>", "model directory of the same architecture, or folder with adapters")
    .option(
      "--alpha <list>",
      "shares of TUNED, from 0 to 1: 0,0.25,0.5,0.75,1 (default: 0.5 of a model, 1 of adapters)",
      alphas,
    )
    .option(
      "--validation <path>",
      "images of the target task, in one subfolder per class, which decide alpha; may be repeated",
      collect,
    )
    .option("--validation-list <file>", "read them from a list: a path, a tab and the class on each line")
    .option(
      "--reference <dataset>",
      "also measure this dataset of `clipscope eval` zero-shot; may be repeated; decides nothing",
      collect,
    )
    .addOption(templateOption())
    .option("--out <dir>", "model directory to write")
    .option("--force", "replace an existing model directory")
    .addOption(figuresOption("SVG", "accuracy against alpha"))
    .addHelpText(
      "after",
      examples(
        "clipscope merge base tuned --out merged",
        "clipscope merge base tuned --alpha 0,0.2,0.4,0.6,0.8,1 --validation validation/ --reference other/ \\",
        "  --figures figures --out merged",
        "clipscope merge base adapter --out folded",
      ),
    )
    .action(async (base: string, tuned: string, _options: unknown, self: Command) => {
      await merge(base, tuned, self.optsWithGlobals(), terminal);
    });
}

function alphas(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.every((value) => value >= 0 && value <= 1)) return values;
  throw new InvalidArgumentError("Expected numbers from 0 to 1, separated by commas.");
}

async function merge(base: string, tuned: string, options: Options, terminal: Terminal): Promise<void> {
  const { out, force = false, arch, backend, json = false, figures } = options;
  const tasks = await readTasks(options, terminal);
  const merged = await terminal.progress((show) =>
    Merge.open(base, tuned, arch, (done, total) => {
      show({ done, total, unit: "numbers compared" });
    }),
  );
  try {
    const shares = options.alpha ?? [merged.kind === "adapters" ? 1 : 0.5];
    const measures = tasks.target !== null || tasks.references.length > 0;
    refuseUnused(shares, measures, tasks, options);
    terminal.note(`${merged.changed.length} tensors differ from those of ${base}`);
    const measured = measures
      ? await terminal.progress((show) =>
          measureMerge(merged, shares, tasks, backend, (done, total) => {
            show({ done, total, unit: "measurements" });
          }),
        )
      : [];
    const chosen = shares[tasks.target === null ? 0 : best(measured.map(({ accuracy }) => accuracy!))]!;
    if (figures !== undefined) {
      await makeFolder(figures);
      await writeDrawings(figures, new Map([["alpha", chartOf(measured)]]));
    }
    if (out !== undefined) {
      await terminal.progress((show) =>
        withNewFolder(out, force, (folder) =>
          merged.write(folder, out, chosen, arch, backend, (done, total) => {
            show({ done, total, unit: "bytes" });
          }),
        ),
      );
    }
    const written = out === undefined ? {} : { out, alpha: chosen };
    if (json)
      terminal.printJson({ changed: merged.changed.length, alphas: measured.map(asJson), ...written });
    else {
      terminal.printLines(tableOf(measured, chosen, terminal));
      if (out !== undefined) {
        terminal.print(`${printable(out)}: alpha ${chosen}, ${merged.changed.length} tensors changed`);
      }
    }
  } finally {
    await merged.close();
  }
}

async function readTasks(
  { validation, validationList, reference = [], template }: Options,
  terminal: Terminal,
): Promise<MergeTasks> {
  if (validation !== undefined && validationList !== undefined) {
    throw new InputError("expected either --validation or --validation-list");
  }
  const where = "the validation images";
  let found: LabelledImages | null = null;
  if (validationList !== undefined) found = await readImageList(validationList, terminal.stdin);
  else if (validation !== undefined) {
    found = await findLabelledImages(validation, (error) => {
      throw error;
    });
  }
  return {
    target: found && requireNames(found, where),
    references: await Promise.all(reference.map((name) => readDataset(name))),
    templates: template ?? null,
  };
}

function refuseUnused(
  shares: readonly number[],
  measures: boolean,
  { target }: MergeTasks,
  { out, figures }: Options,
): void {
  if (shares.length > 1 && out !== undefined && target === null) {
    throw new InputError("--alpha: several values with --out need --validation, which decides between them");
  }
  if (!measures && out === undefined) {
    throw new InputError("expected --out, or images to measure with --validation or --reference");
  }
  if (!measures && figures !== undefined) {
    throw new InputError("--figures has no effect without --validation or --reference");
  }
}

function chartOf(measured: readonly AlphaFigures[]): string {
  const target: AlphaCurve | null =
    measured[0]?.accuracy === null
      ? null
      : { title: "validation images", accuracies: measured.map(({ accuracy }) => accuracy!) };
  const references = Object.keys(measured[0]?.references ?? {}).map((title): AlphaCurve => ({
    title,
    accuracies: measured.map(({ references: of }) => of[title]!),
  }));
  return alphaChart(
    measured.map(({ alpha }) => alpha),
    target,
    references,
  );
}

function asJson({ alpha, accuracy, references }: AlphaFigures): object {
  return { alpha, val_acc1: accuracy, references };
}

function tableOf(measured: readonly AlphaFigures[], chosen: number, { width, colors }: Terminal): string[] {
  if (measured.length === 0) return [];
  const [first] = measured;
  const hasTarget = first!.accuracy !== null;
  const names = Object.keys(first!.references);
  const { head, rows } = layOutTable(
    [
      { title: "alpha", align: "right" },
      ...(hasTarget ? [{ title: "validation", align: "right" as const }] : []),
      ...names.map((title) => ({ title, align: "right" as const })),
      {},
    ],
    measured.map(({ alpha, accuracy, references }) => [
      `${alpha}`,
      ...(hasTarget ? [percent(accuracy!)] : []),
      ...names.map((name) => percent(references[name])),
      hasTarget && alpha === chosen ? "best" : "",
    ]),
    { width },
  );
  return [colors.bold(head), ...rows];
}
