/** `clipscope probe`: linear classifiers on features. */
import { InvalidArgumentError, type Command } from "commander";
import { startNodeBackend } from "../lib/node/backends.ts";
import { findImages, imageExtensions } from "../lib/node/image-files.ts";
import { evaluateClassifier, type Evaluation } from "../lib/probe/evaluate.ts";
import { checkLabels, readFeatures, requireLabels, type LabelledFeatures } from "../lib/probe/features.ts";
import { fitProbe } from "../lib/probe/fit.ts";
import { clipC } from "../lib/probe/logistic-regression.ts";
import { Probe, type Prediction } from "../lib/probe/probe.ts";
import { evaluateZeroShot, whyNoZeroShot } from "../lib/probe/zero-shot.ts";
import { InputError } from "../lib/tensor/errors.ts";
import { evaluationTables } from "./evaluation-tables.ts";
import { withModel } from "./model.ts";
import {
  batchOption,
  collect,
  examples,
  positiveInteger,
  weightsOption,
  type GlobalOptions,
  type ModelOptions,
} from "./options.ts";
import { scoresTable } from "./scores.ts";
import { printable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { readLines } from "./text-file.ts";

interface FitOptions extends GlobalOptions {
  readonly features: string;
  readonly out: string;
  readonly labels?: string;
  readonly C: number;
  readonly maxIterations: number;
  readonly balanced?: boolean;
}

interface EvalOptions extends ModelOptions {
  readonly probe: string;
  readonly features: string;
  readonly labels?: string;
  readonly template?: string[];
}

interface PredictOptions extends ModelOptions {
  readonly probe: string;
  readonly batch?: number;
  readonly top?: number;
}

export function register(program: Command, terminal: Terminal): void {
  const probe = program
    .command("probe")
    .description("Linear classifiers on features that `clipscope embed` or another program wrote.");
  registerFit(probe, terminal);
  registerEval(probe, terminal);
  registerPredict(probe, terminal);
}

function registerFit(probe: Command, terminal: Terminal): void {
  probe
    .command("fit")
    .summary("fit a probe on labelled features")
    .description(
      "Fits a linear classifier on labelled features, as they are stored, and writes a probe file.\n" +
        "Logistic regression with scikit-learn's objective, to its minimum.",
    )
    .requiredOption("--features <file>", "features file with labels")
    .requiredOption("--out <file>", "probe file to write (safetensors)")
    .option("--labels <file>", "other labels: a class a line, in the order of the features")
    .option("-C <number>", "inverse strength of the penalty", positiveNumber, clipC)
    .option("--max-iterations <n>", "end after so many iterations", positiveInteger, 1000)
    .option("--balanced", "weigh classes alike, however many examples they have")
    .addHelpText(
      "after",
      examples("clipscope probe fit --features train.safetensors --out probe.safetensors"),
    )
    .action(async (_options: unknown, command: Command) => {
      await fit(command.optsWithGlobals(), terminal);
    });
}

async function fit(options: FitOptions, terminal: Terminal): Promise<void> {
  const { features: file, out, labels, C, maxIterations, balanced = false, backend, json = false } = options;
  const features = await readLabelled(file, labels);
  await startNodeBackend(backend);
  const progress = terminal.progress(maxIterations, "iterations at most");
  const fitted = ((): ReturnType<typeof fitProbe> => {
    try {
      return fitProbe(features, {
        C,
        maxIterations,
        ...(balanced ? { classWeight: "balanced" } : {}),
        onIteration: progress.update,
      });
    } finally {
      progress.stop();
    }
  })();
  await fitted.probe.save(out);
  const { probe, trainingAccuracy, iterations, converged } = fitted;
  if (json) {
    terminal.printJson({ out, classes: probe.bias.length, trainingAccuracy, iterations, converged });
    return;
  }
  const end = converged ? "" : ", stopped before the minimum (--max-iterations)";
  terminal.print(
    `${printable(out)}: ${probe.bias.length} classes, ${features.rows} examples of ${features.width} numbers, ` +
      `training accuracy ${percent(trainingAccuracy)}, ${iterations} iterations${end}`,
  );
}

function registerEval(probe: Command, terminal: Terminal): void {
  probe
    .command("eval")
    .summary("measure a probe on labelled features")
    .description(
      "Measures a probe on labelled features: accuracy, recall and precision of each class, confusions.\n" +
        "Where classes have names and the model of the features is at hand, zero-shot stands beside it.",
    )
    .requiredOption("--probe <file>", "probe file")
    .requiredOption(
      "--features <file>",
      "features file with labels, made as those that the probe was fitted on",
    )
    .option("--labels <file>", "other labels: a class a line, in the order of the features")
    .option(
      "--template <text>",
      'zero-shot prompt with {} for the class; several are averaged (default: "{}")',
      collect,
    )
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope probe eval --probe probe.safetensors --features test.safetensors",
        "clipscope probe eval --probe probe.safetensors --features test.safetensors --json",
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await evaluate(command.optsWithGlobals(), terminal);
    });
}

async function evaluate(options: EvalOptions, terminal: Terminal): Promise<void> {
  const { probe: probeFile, features: file, labels, template, backend, json = false } = options;
  const probe = await Probe.open(probeFile);
  const features = inProbesClasses(await readLabelled(file, labels, probe.classNames), probe);
  probe.assertFits(features);
  await startNodeBackend(backend);
  const evaluation = evaluateClassifier(probe.logits(features), features.labels, probe.bias.length);
  if (json) {
    terminal.printJson({
      lp_acc1: evaluation.acc1,
      lp_acc5: evaluation.acc5 ?? null,
      lp_mean_per_class_recall: evaluation.meanPerClassRecall,
    });
    return;
  }
  const zeroShot = await compareZeroShot(features, template, options, terminal);
  for (const line of evaluationTables(probe.classNames, evaluation, zeroShot, terminal)) terminal.print(line);
}

/** Zero-shot on the same features, or null where that cannot be: a person is told why. */
async function compareZeroShot(
  features: LabelledFeatures,
  templates: readonly string[] | undefined,
  options: EvalOptions,
  terminal: Terminal,
): Promise<Evaluation | null> {
  const reason = whyNoZeroShot(features);
  if (reason !== null) {
    if (templates !== undefined) throw new InputError(`--template: ${reason}`);
    terminal.note(`zero-shot is left out: ${reason}`);
    return null;
  }
  return withModel(options, terminal, async (model) => {
    const evaluation = await evaluateZeroShot(model, features, templates);
    if (evaluation !== null) return evaluation;
    const hint = `the features come from another model (${features.metadata["model"] ?? "unknown"}); name it with --model`;
    if (templates !== undefined) throw new InputError(`--template: ${hint}`);
    terminal.note(`zero-shot is left out: ${hint}`);
    return null;
  });
}

function registerPredict(probe: Command, terminal: Terminal): void {
  probe
    .command("predict")
    .summary("classify images with a probe")
    .description(
      "Classifies images with a probe, best class first. Images are embedded as the probe's features were.\n" +
        `A folder stands for the images in it and below it (${imageExtensions.join(" ")}).`,
    )
    .argument("<image...>", "image files and folders")
    .requiredOption("--probe <file>", "probe file")
    .option("--top <k>", "show the best K classes (default: all)", positiveInteger)
    .addOption(batchOption())
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope probe predict --probe probe.safetensors photo.jpg",
        "clipscope probe predict --probe probe.safetensors photos/ --json",
      ),
    )
    .action(async (paths: string[], _options: unknown, command: Command) => {
      await predict(paths, command.optsWithGlobals(), terminal);
    });
}

async function predict(paths: readonly string[], options: PredictOptions, terminal: Terminal): Promise<void> {
  const { probe: file, batch, top, json = false } = options;
  const probe = await Probe.open(file);
  const report = (error: InputError): void => {
    terminal.report(error);
  };
  const images = await findImages(paths, report);
  if (images.length === 0) return;
  await withModel(options, terminal, async (model) => {
    const progress = terminal.progress(images.length, "images");
    const results: Prediction[] = [];
    try {
      const batches = probe.predictAll(model, images, {
        ...(batch === undefined ? {} : { batchSize: batch }),
        onError: report,
        onProgress: progress.update,
      });
      for await (const predictions of batches) {
        for (const { path, scores } of predictions) {
          const best = scores.slice(0, top);
          if (json) results.push({ path, scores: best });
          else for (const line of scoresTable(path, best, terminal)) terminal.print(line);
        }
      }
    } finally {
      progress.stop();
    }
    if (json) terminal.printJson(results);
  });
}

/** Features with their own labels, or those of a file: a line a row, with the names of classes or their numbers. */
async function readLabelled(
  file: string,
  labelFile: string | undefined,
  known?: readonly string[],
): Promise<LabelledFeatures> {
  const features = await readFeatures(file);
  if (labelFile === undefined) return requireLabels(features);
  const lines = (await readLines(labelFile)).map((line) => line.trim());
  const empty = lines.indexOf("");
  if (empty !== -1) throw new InputError(`${labelFile}: line ${empty + 1} is empty, expected a class`);
  const sorted = [...new Set(lines)].sort((a, b) => (a < b ? -1 : 1));
  const classNames = known ?? features.classNames ?? sorted;
  const labels = lines.map((line, i) => {
    const label = classNames.indexOf(line);
    if (label !== -1) return label;
    throw new InputError(
      `${labelFile}: line ${i + 1}: no class ${JSON.stringify(line)} among the ${classNames.length}`,
    );
  });
  const labelled = { ...features, labels, classNames };
  checkLabels({ ...labelled, name: `${labelFile} with ${file}` });
  return labelled;
}

/** Labels in the probe's numbering: where both have names, names decide. */
function inProbesClasses(features: LabelledFeatures, probe: Probe): LabelledFeatures {
  const { name, labels, classNames } = features;
  if (classNames === null || !probe.hasNames) {
    const beyond = labels.findIndex((label) => label >= probe.bias.length);
    if (beyond === -1) return features;
    throw new InputError(
      `${name}: the label of row ${beyond} is ${labels[beyond]}, but the probe ${probe.name} has ${probe.bias.length} classes`,
    );
  }
  const numbers = classNames.map((className) => probe.classNames.indexOf(className));
  const unknown = labels.find((label) => numbers[label] === -1);
  if (unknown !== undefined) {
    throw new InputError(
      `${name}: the probe ${probe.name} has no class ${JSON.stringify(classNames[unknown])}; its classes are these`,
      probe.classNames,
    );
  }
  return { ...features, labels: labels.map((label) => numbers[label]!), classNames: probe.classNames };
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("Expected a number above 0.");
  }
  return value;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}
