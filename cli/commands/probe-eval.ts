/** `clipscope probe eval`: measures a probe. */
import type { Command } from "commander";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { makeFolder } from "../../lib/node/files/make-folder.ts";
import { openProbe } from "../../lib/node/features/probes.ts";
import { writeDrawings } from "../../lib/node/files/write-drawings.ts";
import { evaluateClassifier, type Evaluation } from "../../lib/probe/evaluate.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { evaluateZeroShot, whyNoZeroShot } from "../../lib/probe/zero-shot.ts";
import { confusionChart } from "../../lib/draw/charts/confusion-chart.ts";
import { reliabilityChart } from "../../lib/draw/charts/reliability-chart.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { examples } from "../options/option-values.ts";
import { picturesOption, templateOption } from "../options/output-options.ts";
import { readLabelledFeatures } from "../options/read-labelled-features.ts";
import { weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { evaluationTables } from "../terminal/evaluation-tables.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly probe: string;
  readonly features: string;
  readonly labels?: string;
  readonly template?: string[];
  readonly pictures?: string;
}

export function register(probe: Command, terminal: Terminal): void {
  probe
    .command("eval")
    .description(
      "Measure a probe on labelled features: accuracy, recall and precision of each class, confusions.\n" +
        "If the classes have names and --model made the features, also show zero-shot classification.",
    )
    .requiredOption("--probe <file>", "probe file")
    .requiredOption("--features <file>", "features file with labels, made like those the probe was fitted on")
    .option(
      "--labels <file>",
      "read labels from a file instead, one class name per row of the features (- for standard input)",
    )
    .addOption(templateOption())
    .addOption(picturesOption("SVG", "the confusion matrix and a calibration chart"))
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope probe eval --probe probe.safetensors --features test.safetensors",
        "clipscope probe eval --probe probe.safetensors --features test.safetensors --pictures pictures",
        "clipscope probe eval --probe probe.safetensors --features test.safetensors --json",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await evaluate(self.optsWithGlobals(), terminal);
    });
}

async function evaluate(options: Options, terminal: Terminal): Promise<void> {
  const { features: file, labels: labelFile, pictures, backend, json = false } = options;
  const probe = await openProbe(options.probe);
  const { stdin } = terminal;
  const labelled = await readLabelledFeatures(file, { labelFile, stdin, known: probe.classNames });
  const features = probe.acceptLabelled(labelled);
  await startNodeBackend(backend);
  const evaluation = evaluateClassifier(probe.logits(features), features.labels, probe.bias.length);
  if (pictures !== undefined) {
    await makeFolder(pictures);
    const charts = new Map([
      ["confusion", await confusionChart(probe.classNames, evaluation)],
      ["calibration", reliabilityChart(evaluation)],
    ]);
    await writeDrawings(pictures, charts);
  }
  if (json) {
    terminal.printJson({
      lp_acc1: evaluation.acc1,
      lp_acc5: evaluation.acc5 ?? null,
      lp_mean_per_class_recall: evaluation.meanPerClassRecall,
    });
    return;
  }
  const zeroShot = await compareZeroShot(features, options, terminal);
  terminal.printLines(evaluationTables(probe.classNames, evaluation, zeroShot, terminal));
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
