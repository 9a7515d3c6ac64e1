/** `clipscope probe fit`. */
import { Option, type Command } from "commander";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { placeFor } from "../../lib/node/files/write-file.ts";
import { assertSameOrigin, type LabelledFeatures } from "../../lib/features/features.ts";
import { fitClipBenchmarkProbe, fitProbe, type FittedProbe } from "../../lib/probe/fit.ts";
import { clipC, type LogisticRegressionOptions } from "../../lib/probe/logistic-regression.ts";
import { takeShots } from "../../lib/probe/shots.ts";
import { sweepC, type Sweep } from "../../lib/probe/sweep.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { readLabelled } from "../options/labelled-features.ts";
import {
  balancedOption,
  maxIterationsOption,
  shotsOption,
  strengthOption,
  wholeNumber,
  type FitOptions,
} from "../options/fit-options.ts";
import { examples, type GlobalOptions } from "../options/options.ts";
import { percent, printable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

type Recipe = "logistic-regression" | "clip-benchmark";

interface Options extends GlobalOptions, FitOptions {
  readonly features: string;
  readonly out: string;
  readonly labels?: string;
  readonly recipe: Recipe;
  readonly validation?: string;
}

export function registerFit(probe: Command, terminal: Terminal): void {
  probe
    .command("fit")
    .summary("fit a probe on labelled features")
    .description(
      "Fits a linear classifier on labelled features and writes a probe file.\n" +
        "logistic-regression: scikit-learn's objective to its minimum, on the features as they are stored.\n" +
        "clip-benchmark: CLIP_benchmark's AdamW schedule, on normalised features.",
    )
    .requiredOption("--features <file>", "features file with labels")
    .requiredOption("--out <file>", "probe file to write (safetensors)")
    .option(
      "--labels <file>",
      "other labels: the name of a class a line, a line for each row of the features",
    )
    .addOption(shotsOption())
    .option("--seed <n>", "of --shots and of the recipe clip-benchmark (default: 0)", wholeNumber)
    .addOption(
      new Option("--recipe <name>", "how to fit")
        .choices(["logistic-regression", "clip-benchmark"])
        .default("logistic-regression"),
    )
    .addOption(strengthOption())
    .addOption(maxIterationsOption())
    .addOption(balancedOption())
    .option("--validation <file>", "clip-benchmark: features file on which the weight decay is chosen")
    .addHelpText(
      "after",
      examples(
        "clipscope probe fit --features train.safetensors --out probe.safetensors",
        "clipscope probe fit --features train.safetensors --out probe.safetensors -C sweep",
        "clipscope probe fit --features train.safetensors --out probe.safetensors \\",
        "  --recipe clip-benchmark --validation validation.safetensors",
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await fit(command.optsWithGlobals(), terminal);
    });
}

async function fit(options: Options, terminal: Terminal): Promise<void> {
  const { features: file, out, labels, recipe, shots, seed, backend, json = false } = options;
  refuseOthers(options);
  await placeFor(out, [file, labels, options.validation]);
  const all = await readLabelled(file, labels);
  const features = shots === undefined ? all : takeShots(all, shots, seed);
  await startNodeBackend(backend);
  const { probe, trainingAccuracy, ...rest } =
    recipe === "clip-benchmark"
      ? await fitAdamw(features, options, terminal)
      : fitRegression(features, options, terminal);
  await probe.save(out);
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

/** Options of the other recipe would be passed over in silence. */
function refuseOthers({ recipe, C, maxIterations, balanced, validation, seed, shots }: Options): void {
  const others =
    recipe === "clip-benchmark"
      ? { "-C": C, "--max-iterations": maxIterations, "--balanced": balanced }
      : { "--validation": validation, "--seed": shots === undefined ? seed : undefined };
  const given = Object.entries(others).find(([, value]) => value !== undefined);
  if (given !== undefined) throw new InputError(`${given[0]} has no meaning for the recipe ${recipe}`);
}

function fitRegression(
  features: LabelledFeatures,
  { C: wanted = clipC, maxIterations = 1000, balanced = false, json = false }: Options,
  terminal: Terminal,
): FittedProbe & Readonly<Record<string, unknown>> {
  const options: LogisticRegressionOptions = {
    maxIterations,
    ...(balanced ? { classWeight: "balanced" } : {}),
  };
  const sweep = wanted === "sweep" ? swept(features, options, terminal) : null;
  if (sweep !== null && !json) for (const line of sweepTable(sweep, terminal)) terminal.print(line);
  const C = sweep?.C ?? (wanted as number);
  const progress = terminal.progress(maxIterations, "iterations at most");
  try {
    const fitted = fitProbe(features, { ...options, C, onIteration: progress.update });
    if (!fitted.converged) terminal.note(`stopped before the minimum, after ${fitted.iterations} iterations`);
    return { ...fitted, C, ...(sweep && { sweep: sweep.rows }) };
  } finally {
    progress.stop();
  }
}

function swept(
  features: LabelledFeatures,
  { maxIterations, classWeight }: LogisticRegressionOptions,
  terminal: Terminal,
): Sweep {
  let progress: ReturnType<Terminal["progress"]> | undefined;
  try {
    return sweepC(features, {
      ...(maxIterations === undefined ? {} : { maxIterations }),
      ...(classWeight === undefined ? {} : { classWeight }),
      onFit: (done, total) => {
        progress ??= terminal.progress(total, "fits");
        progress.update(done);
      },
    });
  } finally {
    progress?.stop();
  }
}

function sweepTable({ C, rows }: Sweep, { colors }: Terminal): string[] {
  const lines = rows.map((row) => {
    const line = `${`${Number(row.C.toPrecision(3))}`.padStart(10)}  ${percent(row.accuracy).padStart(7)} ± ${percent(row.deviation)}`;
    return row.C === C ? colors.bold(`${line}  best`) : line;
  });
  return [colors.bold("         C  accuracy on the folds kept out"), ...lines];
}

async function fitAdamw(
  features: LabelledFeatures,
  { validation: file, seed = 0, json = false }: Options,
  terminal: Terminal,
): Promise<FittedProbe> {
  const validation = file === undefined ? null : await readLabelled(file, undefined);
  if (validation !== null) {
    assertSameOrigin(features.metadata, validation.metadata, validation.name, features.name);
    if (JSON.stringify(validation.classNames) !== JSON.stringify(features.classNames)) {
      throw new InputError(`${validation.name}: other class names than ${features.name}, expected the same`);
    }
  }
  const fitted = fitClipBenchmarkProbe(features, validation, { seed });
  if (!json && fitted.trials.length > 0) {
    terminal.print(terminal.colors.bold("weight decay  validation accuracy"));
    for (const { weightDecay, accuracy } of fitted.trials) {
      const line = `${weightDecay.toExponential(2).padStart(12)}  ${percent(accuracy).padStart(7)}`;
      terminal.print(weightDecay === fitted.weightDecay ? terminal.colors.bold(`${line}  best`) : line);
    }
  }
  return fitted;
}
