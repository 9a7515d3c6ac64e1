/** `clipscope probe`: linear classifiers on features. */
import type { Command } from "commander";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { findImages, imageExtensions } from "../../lib/node/images/image-files.ts";
import { makeFolder } from "../../lib/node/files/write-file.ts";
import { writePictures } from "../../lib/node/files/write-png.ts";
import { evaluateClassifier, type Evaluation } from "../../lib/probe/evaluate.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { confusionPicture, reliabilityPicture } from "../../lib/probe/pictures.ts";
import { Probe, type Prediction } from "../../lib/probe/probe.ts";
import { evaluateZeroShot, whyNoZeroShot } from "../../lib/probe/zero-shot.ts";
import type { Raster } from "../../lib/draw/raster.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { evaluationTables } from "../terminal/evaluation-tables.ts";
import { readLabelled } from "../options/labelled-features.ts";
import { withModel } from "../options/model.ts";
import {
  batchOption,
  collect,
  examples,
  picturesOption,
  positiveInteger,
  weightsOption,
  type ModelOptions,
} from "../options/options.ts";
import { registerFit } from "./probe-fit.ts";
import { registerLayers } from "./probe-layers.ts";
import { scoresTable } from "../terminal/scores.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface EvalOptions extends ModelOptions {
  readonly probe: string;
  readonly features: string;
  readonly labels?: string;
  readonly template?: string[];
  readonly pictures?: string;
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
  registerLayers(probe, terminal);
  registerEval(probe, terminal);
  registerPredict(probe, terminal);
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
    .addOption(picturesOption("the confusion matrix, calibration"))
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope probe eval --probe probe.safetensors --features test.safetensors",
        "clipscope probe eval --probe probe.safetensors --features test.safetensors --pictures pictures",
        "clipscope probe eval --probe probe.safetensors --features test.safetensors --json",
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await evaluate(command.optsWithGlobals(), terminal);
    });
}

async function evaluate(options: EvalOptions, terminal: Terminal): Promise<void> {
  const { probe: probeFile, features: file, labels, template, pictures, backend, json = false } = options;
  const probe = await Probe.open(probeFile);
  const features = probe.acceptLabelled(await readLabelled(file, labels, probe.classNames));
  await startNodeBackend(backend);
  const evaluation = evaluateClassifier(probe.logits(features), features.labels, probe.bias.length);
  if (pictures !== undefined) {
    await makeFolder(pictures);
    const drawn: [string, Raster][] = [
      ["confusion", await confusionPicture(probe.classNames, evaluation)],
      ["calibration", await reliabilityPicture(evaluation)],
    ];
    await writePictures(pictures, new Map(drawn));
  }
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
