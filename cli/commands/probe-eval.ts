/** `clipscope probe eval`: measures a probe. */
import type { Command } from "commander";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { makeFolder } from "../../lib/node/files/make-folder.ts";
import { openProbe } from "../../lib/node/features/probes.ts";
import { writeDrawings } from "../../lib/node/files/write-drawings.ts";
import type { Evaluation } from "../../lib/probe/evaluate.ts";
import { meanInterval, type Interval } from "../../lib/probe/interval.ts";
import type { Probe } from "../../lib/probe/probe.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { evaluateZeroShot, whyNoZeroShot } from "../../lib/probe/zero-shot.ts";
import { confusionChart, mostDrawnClasses } from "../../lib/draw/charts/confusion-chart.ts";
import { reliabilityChart } from "../../lib/draw/charts/reliability-chart.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { collect, examples, repetitions, wholeNumber } from "../options/option-values.ts";
import { figuresOption, templateOption } from "../options/output-options.ts";
import { readLabelledFeatures } from "../options/read-labelled-features.ts";
import { seededPaths } from "../options/seeds.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { evaluationTables } from "../terminal/evaluation-tables.ts";
import { intervalAsJson, percent, plusMinus, printable } from "../terminal/format.ts";
import { layOutTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly probe: string[];
  readonly seeds?: number;
  readonly seed?: number;
  readonly features: string;
  readonly labels?: string;
  readonly template?: string[];
  readonly figures?: string;
}

export function register(probe: Command, terminal: Terminal): void {
  probe
    .command("eval")
    .description(
      "Measure a probe on labelled features: accuracy, recall and precision of each class, confusions.\n" +
        "If the classes have names and --model made the features, also show zero-shot classification.",
    )
    .requiredOption(
      "--probe <file>",
      "probe file; repeat to measure several, with the mean and its 95% interval",
      collect,
    )
    .requiredOption("--features <file>", "features file with labels, made like those the probe was fitted on")
    .option(
      "--labels <file>",
      "read labels from a file instead, one class name per row of the features (- for standard input)",
    )
    .option(
      "--seeds <n>",
      "measure N probes: {seed} in --probe is replaced by each seed from --seed",
      repetitions,
    )
    .option("--seed <n>", "first seed of --seeds (default: 0)", wholeNumber)
    .addOption(templateOption())
    .addOption(figuresOption("SVG", "the confusion matrix and a calibration chart"))
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText(
      "after",
      examples(
        "clipscope probe eval --probe probe.safetensors --features test.safetensors",
        "clipscope probe eval --probe probe.safetensors --features test.safetensors --figures figures",
        "clipscope probe eval --probe probe.safetensors --features test.safetensors --json",
        "clipscope probe eval --probe 'probe-{seed}.safetensors' --seeds 5 --features test.safetensors",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await evaluate(self.optsWithGlobals(), terminal);
    });
}

async function evaluate(options: Options, terminal: Terminal): Promise<void> {
  const { features: file, labels: labelFile, backend, json = false } = options;
  const paths = options.probe.flatMap((path) =>
    seededPaths("--probe", path, options.seeds ?? 1, options.seed).map((of) => of.path),
  );
  if (paths.length > 1) refuseForSeveral(options);
  const first = await openProbe(paths[0]!);
  const labelled = await readLabelledFeatures(file, {
    labelFile,
    stdin: terminal.stdin,
    known: first.classNames,
  });
  const features = first.acceptLabelled(labelled);
  await startNodeBackend(backend);
  if (paths.length > 1) {
    const evaluations = [first.evaluate(features)];
    for (const path of paths.slice(1)) {
      const probe = await openProbe(path);
      evaluations.push(probe.evaluate(probe.acceptLabelled(labelled)));
    }
    if (json) terminal.printJson(severalAsJson(paths, evaluations));
    else terminal.printLines(severalTable(paths, evaluations, terminal));
    return;
  }
  const evaluation = first.evaluate(features);
  if (options.figures !== undefined) await draw(options.figures, first, evaluation, terminal);
  if (json) {
    terminal.printJson(figuresOf(evaluation));
    return;
  }
  const zeroShot = await compareZeroShot(features, options, terminal);
  terminal.printLines(evaluationTables(first.classNames, evaluation, zeroShot, terminal));
}

async function draw(
  folder: string,
  { classNames }: Probe,
  evaluation: Evaluation,
  terminal: Terminal,
): Promise<void> {
  const charts = new Map([["calibration", reliabilityChart(evaluation)]]);
  if (classNames.length <= mostDrawnClasses) {
    charts.set("confusion", await confusionChart(classNames, evaluation));
  } else {
    terminal.warn(
      `no confusion matrix is drawn: it would have ${classNames.length} classes, the limit is ${mostDrawnClasses}`,
    );
  }
  await makeFolder(folder);
  await writeDrawings(folder, charts);
}

/** CLIP_benchmark's names. */
const figureNames = ["lp_acc1", "lp_acc5", "lp_mean_per_class_recall"] as const;

function figuresOf(evaluation: Evaluation): Record<(typeof figureNames)[number], number | null> {
  return {
    lp_acc1: evaluation.acc1,
    lp_acc5: evaluation.acc5 ?? null,
    lp_mean_per_class_recall: evaluation.meanPerClassRecall,
  };
}

function refuseForSeveral({ figures, template }: Options): void {
  const given = Object.entries({ "--figures": figures, "--template": template }).find(
    ([, value]) => value !== undefined,
  );
  if (given !== undefined) throw new InputError(`${given[0]} requires a single probe`);
}

/** Each figure's mean over the probes with its 95 % interval; null if a probe has no such figure. */
function intervalsOf(evaluations: readonly Evaluation[]): (Interval | null)[] {
  return figureNames.map((name) => {
    const values = evaluations.map((evaluation) => figuresOf(evaluation)[name]);
    return values.some((value) => value === null) ? null : meanInterval(values as number[]);
  });
}

function severalAsJson(paths: readonly string[], evaluations: readonly Evaluation[]): unknown {
  const intervals = intervalsOf(evaluations).map((interval) => interval && intervalAsJson(interval));
  return {
    ...Object.fromEntries(figureNames.map((name, i) => [name, intervals[i]])),
    probes: evaluations.map((evaluation, i) => ({ probe: paths[i], ...figuresOf(evaluation) })),
  };
}

function severalTable(
  paths: readonly string[],
  evaluations: readonly Evaluation[],
  { width, colors }: Terminal,
): string[] {
  const cells = (evaluation: Evaluation): string[] =>
    Object.values(figuresOf(evaluation)).map((value) => percent(value ?? undefined));
  const means = intervalsOf(evaluations).map((interval) => (interval === null ? "–" : plusMinus(interval)));
  const { head, rows } = layOutTable(
    [
      { title: "probe", cut: "start" },
      { title: "accuracy", align: "right" },
      { title: "top-5 accuracy", align: "right" },
      { title: "mean per-class recall", align: "right" },
    ],
    [
      ...evaluations.map((evaluation, i) => [printable(paths[i]!), ...cells(evaluation)]),
      ["mean, 95% interval", ...means],
    ],
    { width },
  );
  return [colors.bold(head), ...rows.slice(0, -1), colors.bold(rows.at(-1))];
}

/** Zero-shot classification of the same features, or null with a note that says why it is not possible. */
async function compareZeroShot(
  features: LabelledFeatures,
  options: Options,
  terminal: Terminal,
): Promise<Evaluation | null> {
  const { template: templates } = options;
  const skip = (reason: string): null => {
    if (templates !== undefined) throw new InputError(`--template: ${reason}`);
    terminal.note(`no zero-shot figures: ${reason}`);
    return null;
  };
  const reason = whyNoZeroShot(features);
  if (reason !== null) return skip(reason);
  return withModel(options, terminal, async (model) => {
    const evaluation = await evaluateZeroShot(model, features, templates);
    const origin = features.metadata["model"] ?? "unknown";
    return evaluation ?? skip(`another model (${origin}) made the features; pass it with --model`);
  });
}
