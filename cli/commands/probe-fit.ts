/** `clipscope probe fit`: fits a linear classifier on features. */
import { Option, type Command } from "commander";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { withOutput, type Reservation } from "../../lib/node/files/reserve-output.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { saveProbe } from "../../lib/node/features/probes.ts";
import { assertFolds, crossValidate, type CrossValidation } from "../../lib/probe/cross-validate.ts";
import { fitAdamwProbe, fitRegressionProbe, type UnmeasuredProbe } from "../../lib/probe/fit.ts";
import { meanInterval } from "../../lib/probe/interval.ts";
import { clipC } from "../../lib/probe/logistic-regression.ts";
import { takeShots } from "../../lib/probe/shots.ts";
import { sweepC, type Sweep } from "../../lib/probe/sweep.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { addFitOptions, regressionOptions, type FitOptions } from "../options/fit-options.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { examples, repetitions } from "../options/option-values.ts";
import { readLabelledFeatures } from "../options/read-labelled-features.ts";
import { readValidation } from "../options/read-validation.ts";
import { seededPaths, type SeededPath } from "../options/seeds.ts";
import { intervalAsJson, percent, plusMinus, printable } from "../terminal/format.ts";
import { layOutTable, type Column } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

type Recipe = "logistic-regression" | "clip-benchmark";

interface Options extends GlobalOptions, FitOptions {
  readonly features: string;
  readonly out: string;
  readonly labels?: string;
  readonly recipe: Recipe;
  readonly validation?: string;
  readonly folds?: number;
  readonly seeds?: number;
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
    .option("--validation <file>", "clip-benchmark: choose the weight decay on this features file")
    .option(
      "--folds <k>",
      "also measure the held-out accuracy by K-fold cross-validation, with its 95% interval",
      repetitions,
    )
    .option(
      "--seeds <n>",
      "fit N probes with consecutive seeds from --seed; {seed} in --out is replaced by each",
      repetitions,
    );
  addFitOptions(command, "--shots and the clip-benchmark recipe")
    .addHelpText(
      "after",
      examples(
        "clipscope probe fit --features train.safetensors --out probe.safetensors",
        "clipscope probe fit --features train.safetensors --out probe.safetensors -C sweep",
        "clipscope probe fit --features train.safetensors --out probe.safetensors \\",
        "  --recipe clip-benchmark --validation validation.safetensors",
        "clipscope probe fit --features train.safetensors --out probe.safetensors --folds 5",
        "clipscope probe fit --features train.safetensors --out 'probe-{seed}.safetensors' --shots 8 --seeds 5",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await fit(self.optsWithGlobals(), terminal);
    });
}

async function fit(options: Options, terminal: Terminal): Promise<void> {
  const { features: file, out, labels, seeds = 1, seed } = options;
  refuseUnused(options);
  const outputs = seededPaths("--out", out, seeds, seed);
  await withOutputs(
    outputs.map(({ path }) => path),
    [file, labels, options.validation],
    (reserved) =>
      fitInto(
        outputs.map((output, i) => ({ ...output, output: reserved[i]! })),
        options,
        terminal,
      ),
  );
}

/** Reserves several outputs while `use` runs. */
function withOutputs<T>(
  paths: readonly string[],
  inputs: readonly (string | undefined)[],
  use: (reserved: readonly Reservation[]) => Promise<T>,
  reserved: readonly Reservation[] = [],
): Promise<T> {
  const [path, ...others] = paths;
  if (path === undefined) return use(reserved);
  return withOutput(path, inputs, (output) => withOutputs(others, inputs, use, [...reserved, output]));
}

interface SeededOutput extends SeededPath {
  readonly output: Reservation;
}

async function fitInto(
  outputs: readonly SeededOutput[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { features: file, labels, recipe, folds, seeds = 1, seed, backend, json = false } = options;
  const features = await readLabelledFeatures(file, { labelFile: labels, stdin: terminal.stdin });
  const validation = await readValidation(features, options.validation, terminal);
  await startNodeBackend(backend);
  const fitWith = (rows: LabelledFeatures, of: number | undefined): Promise<Fitted> => {
    const chosen = options.shots === undefined ? rows : takeShots(rows, options.shots, of);
    const once = { ...options, ...(of === undefined ? {} : { seed: of }) };
    return recipe === "clip-benchmark"
      ? Promise.resolve(fitAdamw(chosen, validation, once, terminal))
      : fitRegression(chosen, once, terminal);
  };
  if (folds !== undefined) assertFolds(features, folds);
  const fitted: Saved[] = [];
  for (const { path, output, seed: of } of outputs) {
    const one = await fitWith(features, seeds === 1 ? seed : of);
    // Saved before anything else is computed or printed: the fit can take hours, and the reader of a pipe may leave.
    await saveProbe(one.probe, output);
    const { probe, trainingAccuracy } = one.measure();
    await saveProbe(probe, output);
    fitted.push({
      out: path,
      seed: of,
      rows: one.rows,
      classes: probe.bias.length,
      trainingAccuracy,
      report: one.report,
      table: one.table,
    });
  }
  const validated =
    folds === undefined
      ? undefined
      : await crossValidate(features, folds, async (train) => (await fitWith(train, seed)).probe);
  if (json)
    terminal.printJson(seeds === 1 ? oneAsJson(fitted[0]!, recipe, validated) : allAsJson(fitted, recipe));
  else
    terminal.printLines([
      ...(seeds === 1 ? fitted[0]!.table : []),
      ...fitted.map((one) => savedLine(one, features.width)),
      ...meanLines(fitted, validated),
    ]);
}

/** A fit whose probe is not saved yet. */
interface Fitted extends UnmeasuredProbe {
  readonly rows: number;
  /** What the recipe reports, for `--json`. */
  readonly report: Readonly<Record<string, unknown>>;
  /** The values that were tried, as lines; empty if none were. */
  readonly table: readonly string[];
}

/** A fit whose probe is saved. */
interface Saved extends Pick<Fitted, "rows" | "report" | "table"> {
  readonly out: string;
  readonly seed: number;
  readonly classes: number;
  readonly trainingAccuracy: number;
}

function savedLine({ out, classes, rows, trainingAccuracy }: Saved, width: number): string {
  return (
    `${printable(out)}: ${classes} classes, ${rows} rows of ${width} numbers, ` +
    `training accuracy ${percent(trainingAccuracy)}`
  );
}

function meanLines(fitted: readonly Saved[], validated: CrossValidation | undefined): string[] {
  const lines: string[] = [];
  if (fitted.length > 1) {
    const interval = meanInterval(fitted.map(({ trainingAccuracy }) => trainingAccuracy));
    lines.push(`training accuracy ${plusMinus(interval)} (mean of ${fitted.length} seeds, 95% interval)`);
  }
  if (validated !== undefined) {
    const { accuracies } = validated;
    lines.push(
      `held-out accuracy ${plusMinus(validated)} (mean of ${accuracies.length} folds, 95% interval)`,
    );
  }
  return lines;
}

function oneAsJson(
  { out, classes, rows, trainingAccuracy, report }: Saved,
  recipe: Recipe,
  validated: CrossValidation | undefined,
): unknown {
  const folds = validated && { accuracies: validated.accuracies, ...intervalAsJson(validated) };
  return { out, recipe, classes, rows, trainingAccuracy, ...report, ...(folds && { folds }) };
}

function allAsJson(fitted: readonly Saved[], recipe: Recipe): unknown {
  const { classes, rows } = fitted[0]!;
  return {
    recipe,
    classes,
    rows,
    trainingAccuracy: intervalAsJson(meanInterval(fitted.map((one) => one.trainingAccuracy))),
    seeds: fitted.map(({ seed, out, trainingAccuracy, report }) => ({
      seed,
      out,
      trainingAccuracy,
      ...report,
    })),
  };
}

/** Refuses options that the recipe does not use. */
function refuseUnused(options: Options): void {
  const { recipe, C, maxIterations, balanced, validation, seed, seeds, folds, shots } = options;
  const unused =
    recipe === "clip-benchmark"
      ? { "-C": C, "--max-iterations": maxIterations, "--balanced": balanced }
      : { "--validation": validation, ...(shots === undefined && { "--seed": seed, "--seeds": seeds }) };
  const given = Object.entries(unused).find(([, value]) => value !== undefined);
  if (given !== undefined) {
    const more = given[0].startsWith("--seed") ? " without --shots" : "";
    throw new InputError(`${given[0]} has no effect with the recipe ${recipe}${more}`);
  }
  if (seeds !== undefined && folds !== undefined) {
    throw new InputError("expected either --seeds or --folds, found both; run the command once for each");
  }
}

async function fitRegression(
  features: LabelledFeatures,
  options: Options,
  terminal: Terminal,
): Promise<Fitted> {
  const { C: wanted = clipC, maxIterations = 1000 } = options;
  const sweep = wanted === "sweep" ? await sweepAll(features, options, terminal) : null;
  if (sweep !== null && sweep.unfinished > 0) {
    terminal.warn(`${sweep.unfinished} of the ${sweep.fits} fits of the sweep stopped before the minimum`);
  }
  const C = sweep?.C ?? (wanted as number);
  const { probe, measure, iterations, converged } = await terminal.counting(
    maxIterations,
    "iterations at most",
    (onIteration) =>
      fitRegressionProbe(features, {
        ...regressionOptions(options),
        maxIterations,
        C,
        onIteration: (iteration) => {
          onIteration(iteration);
        },
      }),
  );
  if (!converged) terminal.warn(whyUnfinished(iterations, maxIterations));
  const report = { iterations, converged, C, ...(sweep && { sweep: sweep.rows }) };
  const table = sweep === null ? [] : sweepTable(sweep, terminal);
  return { probe, measure, rows: features.rows, report, table };
}

function whyUnfinished(iterations: number, maxIterations: number): string {
  return iterations === maxIterations
    ? `the fit stopped at the limit of ${iterations} iterations, before the minimum; raise --max-iterations, or lower -C`
    : `the fit stopped after ${iterations} iterations, before the minimum, which float32 cannot reach; ` +
        "normalise the features (embed --normalize), or lower -C";
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

function fitAdamw(
  features: LabelledFeatures,
  validation: LabelledFeatures | null,
  { seed = 0 }: Options,
  terminal: Terminal,
): Fitted {
  const { probe, measure, trials, weightDecay } = fitAdamwProbe(features, validation, { seed });
  const cells = trials.map((trial) => [trial.weightDecay.toExponential(2), percent(trial.accuracy)]);
  const titles = ["weight decay", "validation accuracy"];
  const isBest = (row: number): boolean => trials[row]!.weightDecay === weightDecay;
  const table = trials.length === 0 ? [] : bestMarked(titles, cells, isBest, terminal);
  return { probe, measure, rows: features.rows, report: { weightDecay, trials }, table };
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
