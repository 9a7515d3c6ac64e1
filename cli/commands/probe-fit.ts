/** `clipscope probe fit`: fits a linear classifier on features. */
import { Option, type Command } from "commander";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { withOutput, type Reservation } from "../../lib/node/files/reserve-output.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { assertSameOrigin } from "../../lib/features/origin.ts";
import { saveProbe } from "../../lib/node/features/probes.ts";
import { fitClipBenchmarkProbe, fitProbe, type FittedProbe } from "../../lib/probe/fit.ts";
import { clipC } from "../../lib/probe/logistic-regression.ts";
import { takeShots } from "../../lib/probe/shots.ts";
import { sweepC, type Sweep } from "../../lib/probe/sweep.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { addFitOptions, regressionOptions, type FitOptions } from "../options/fit-options.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { examples } from "../options/option-values.ts";
import { readLabelledFeatures } from "../options/read-labelled-features.ts";
import { percent, printable } from "../terminal/format.ts";
import { layOutTable, type Column } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

type Recipe = "logistic-regression" | "clip-benchmark";

interface Options extends GlobalOptions, FitOptions {
  readonly features: string;
  readonly out: string;
  readonly labels?: string;
  readonly recipe: Recipe;
  readonly validation?: string;
}

export function register(probe: Command, terminal: Terminal): void {
  const command = probe
    .command("fit")
    .description(
      "Fit a linear classifier on labelled features and write a probe file.\n" +
        "logistic-regression: minimises scikit-learn's objective on the features as stored.\n" +
        "clip-benchmark: follows CLIP_benchmark's AdamW schedule on normalised features.",
    )
    .requiredOption("--features <file>", "features file with labels")
    .requiredOption("--out <file>", "probe file to write (safetensors)")
    .option(
      "--labels <file>",
      "read labels from a file instead, one class name per row of the features (- for standard input)",
    )
    .addOption(
      new Option("--recipe <name>", "how to fit")
        .choices(["logistic-regression", "clip-benchmark"])
        .default("logistic-regression"),
    )
    .option("--validation <file>", "clip-benchmark: choose the weight decay on this features file");
  addFitOptions(command, "--shots and the clip-benchmark recipe")
    .addHelpText(
      "after",
      examples(
        "clipscope probe fit --features train.safetensors --out probe.safetensors",
        "clipscope probe fit --features train.safetensors --out probe.safetensors -C sweep",
        "clipscope probe fit --features train.safetensors --out probe.safetensors \\",
        "  --recipe clip-benchmark --validation validation.safetensors",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await fit(self.optsWithGlobals(), terminal);
    });
}

async function fit(options: Options, terminal: Terminal): Promise<void> {
  const { features: file, out, labels } = options;
  refuseUnused(options);
  await withOutput(out, [file, labels, options.validation], (output) => fitInto(output, options, terminal));
}

async function fitInto(output: Reservation, options: Options, terminal: Terminal): Promise<void> {
  const { features: file, out, labels, recipe, shots, seed, backend, json = false } = options;
  const all = await readLabelledFeatures(file, { labelFile: labels, stdin: terminal.stdin });
  const features = shots === undefined ? all : takeShots(all, shots, seed);
  await startNodeBackend(backend);
  const { probe, trainingAccuracy, ...rest } =
    recipe === "clip-benchmark"
      ? await fitAdamw(features, options, terminal)
      : await fitRegression(features, options, terminal);
  await saveProbe(probe, output);
  const classes = probe.bias.length;
  if (json) {
    terminal.printJson({ out, recipe, classes, rows: features.rows, trainingAccuracy, ...rest });
    return;
  }
  terminal.print(
    `${printable(out)}: ${classes} classes, ${features.rows} rows of ${features.width} numbers, ` +
      `training accuracy ${percent(trainingAccuracy)}`,
  );
}

/** Refuses options that the recipe does not use. */
function refuseUnused({ recipe, C, maxIterations, balanced, validation, seed, shots }: Options): void {
  const unused =
    recipe === "clip-benchmark"
      ? { "-C": C, "--max-iterations": maxIterations, "--balanced": balanced }
      : { "--validation": validation, "--seed": shots === undefined ? seed : undefined };
  const given = Object.entries(unused).find(([, value]) => value !== undefined);
  if (given !== undefined) throw new InputError(`${given[0]} has no effect with the recipe ${recipe}`);
}

async function fitRegression(
  features: LabelledFeatures,
  options: Options,
  terminal: Terminal,
): Promise<FittedProbe & Readonly<Record<string, unknown>>> {
  const { C: wanted = clipC, maxIterations = 1000, json = false } = options;
  const sweep = wanted === "sweep" ? await sweepAll(features, options, terminal) : null;
  if (sweep !== null && !json) terminal.printLines(sweepTable(sweep, terminal));
  const C = sweep?.C ?? (wanted as number);
  const fitted = await terminal.counting(maxIterations, "iterations at most", (onIteration) =>
    fitProbe(features, { ...regressionOptions(options), maxIterations, C, onIteration }),
  );
  if (!fitted.converged)
    terminal.note(`stopped before the minimum was reached, after ${fitted.iterations} iterations`);
  return { ...fitted, C, ...(sweep && { sweep: sweep.rows }) };
}

function sweepAll(features: LabelledFeatures, options: Options, terminal: Terminal): Promise<Sweep> {
  return terminal.progress((show) =>
    sweepC(features, {
      ...regressionOptions(options),
      onFit: (done, total) => {
        show({ done, total, unit: "fits" });
      },
    }),
  );
}

function sweepTable({ C, rows }: Sweep, terminal: Terminal): string[] {
  const cells = rows.map((row) => [
    `${Number(row.C.toPrecision(3))}`,
    `${percent(row.accuracy)} ± ${percent(row.deviation)}`,
  ]);
  return bestMarked(["C", "cross-validation accuracy"], cells, (i) => rows[i]!.C === C, terminal);
}

async function fitAdamw(
  features: LabelledFeatures,
  { validation: file, seed = 0, json = false }: Options,
  terminal: Terminal,
): Promise<FittedProbe> {
  const { stdin } = terminal;
  const validation =
    file === undefined ? null : await readLabelledFeatures(file, { labelFile: undefined, stdin });
  if (validation !== null) {
    assertSameOrigin(features.metadata, validation.metadata, validation.name, features.name);
    if (JSON.stringify(validation.classNames) !== JSON.stringify(features.classNames)) {
      throw new InputError(`${validation.name}: class names differ from those of ${features.name}`);
    }
  }
  const fitted = fitClipBenchmarkProbe(features, validation, { seed });
  const { trials, weightDecay } = fitted;
  if (!json && trials.length > 0) {
    const cells = trials.map((trial) => [trial.weightDecay.toExponential(2), percent(trial.accuracy)]);
    const titles = ["weight decay", "validation accuracy"];
    terminal.printLines(bestMarked(titles, cells, (i) => trials[i]!.weightDecay === weightDecay, terminal));
  }
  return fitted;
}

/** A table of numbers whose best row is marked. */
function bestMarked(
  titles: readonly string[],
  cells: readonly (readonly string[])[],
  isBest: (row: number) => boolean,
  { colors }: Terminal,
): string[] {
  const columns: Column[] = [...titles.map((title) => ({ title, align: "right" as const })), {}];
  const { head, rows } = layOutTable(
    columns,
    cells.map((row, i) => [...row, isBest(i) ? "best" : ""]),
  );
  return [colors.bold(head), ...rows.map((row, i) => (isBest(i) ? colors.bold(row) : row))];
}
