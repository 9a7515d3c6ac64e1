/** `clipscope adapt`: adapts zero-shot classification to a few labelled features. */
import { Option, type Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { withOutput } from "../../lib/node/files/reserve-output.ts";
import { saveProbe } from "../../lib/node/features/probes.ts";
import { adapt as adaptTo, adaptMethods, type Adapted, type AdaptMethod } from "../../lib/probe/adapt.ts";
import { takeShots } from "../../lib/probe/shots.ts";
import { largestFactors } from "../../lib/probe/tip-adapter.ts";
import { textHead } from "../../lib/probe/text-head.ts";
import { examples, nonNegativeNumber, positiveInteger, wholeNumber } from "../options/option-values.ts";
import { templateOption } from "../options/output-options.ts";
import { readLabelledFeatures } from "../options/read-labelled-features.ts";
import { readValidation } from "../options/read-validation.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { percent, printable } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly features: string;
  readonly out: string;
  readonly labels?: string;
  readonly method: AdaptMethod;
  readonly validation?: string;
  readonly template?: string[];
  readonly shots?: number;
  readonly seed?: number;
  readonly penalty?: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly maxAlpha?: number;
  readonly maxBeta?: number;
  readonly epochs?: number;
  readonly lr?: number;
  readonly batchSize?: number;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("adapt")
    .description(
      "Adapt zero-shot classification to labelled features that `clipscope embed` wrote, and write a probe file.\n" +
        "head: a linear head that begins as the zero-shot classifier and is held close to it.\n" +
        "tip-adapter: a cache of the examples; nothing is trained. tip-adapter-f: its keys are trained.\n" +
        "Both choose alpha and beta on --validation.",
    )
    .requiredOption("--features <file>", "features file with labels and class names")
    .requiredOption("--out <file>", "probe file to write (safetensors)")
    .option(
      "--labels <file>",
      "read labels from a file instead, one class name per row of the features (- for standard input)",
    )
    .addOption(new Option("--method <name>", "how to adapt").choices(adaptMethods).default("head"))
    .option(
      "--validation <file>",
      "features file that decides what the method leaves open; neither training nor test images",
    )
    .addOption(templateOption())
    .option("--shots <k>", "use K examples per class, chosen by --seed", positiveInteger)
    .option("--seed <n>", "seed for --shots and the order of tip-adapter-f (default: 0)", wholeNumber)
    .option(
      "--penalty <number>",
      "head: strength of the pull to the zero-shot classifier (default: chosen on --validation, else by folds)",
      nonNegativeNumber,
    )
    .option(
      "--alpha <number>",
      "tip-adapter: weight of the cache, with --beta instead of a search",
      nonNegativeNumber,
    )
    .option("--beta <number>", "tip-adapter: sharpness of the cache", nonNegativeNumber)
    .option("--max-alpha <number>", "largest alpha of the search (default: 10)", nonNegativeNumber)
    .option("--max-beta <number>", "largest beta of the search (default: 12)", nonNegativeNumber)
    .option("--epochs <n>", "tip-adapter-f: epochs (default: 20)", positiveInteger)
    .option("--lr <number>", "tip-adapter-f: learning rate (default: 0.001)", nonNegativeNumber)
    .option("--batch-size <n>", "tip-adapter-f: examples per step (default: 256)", positiveInteger)
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText(
      "after",
      examples(
        "clipscope adapt --features train.safetensors --out head.safetensors --shots 4",
        "clipscope adapt --features train.safetensors --validation validation.safetensors \\",
        "  --method tip-adapter-f --out tip.safetensors",
        "clipscope probe eval --probe tip.safetensors --features test.safetensors",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await adapt(self.optsWithGlobals(), terminal);
    });
}

async function adapt(options: Options, terminal: Terminal): Promise<void> {
  const { features: file, labels, out, method, shots, seed, template, json = false } = options;
  refuseUnused(options);
  await withOutput(out, [file, labels, options.validation], async (output) => {
    const all = await readLabelledFeatures(file, { labelFile: labels, stdin: terminal.stdin });
    const validation = await readValidation(all, options.validation, terminal);
    const features = shots === undefined ? all : takeShots(all, shots, seed);
    await withModel(options, terminal, async (model) => {
      const head = await textHead(model, features, template);
      const adapted = await terminal.progress((show) =>
        adaptTo(features, head, method, validation, {
          ...libraryOptions(options),
          onProgress: (done, total, unit) => {
            show({ done, total, unit });
          },
        }),
      );
      await saveProbe(adapted.probe, output);
      const { trainingAccuracy, chosen, validation: accuracies } = adapted;
      const classes = adapted.probe.bias.length;
      if (json) {
        terminal.printJson({
          out,
          method,
          classes,
          rows: features.rows,
          trainingAccuracy,
          chosen,
          validation: accuracies,
        });
      } else terminal.printLines(reportOf(options, features, adapted));
    });
  });
}

function reportOf(
  { out, method }: Options,
  { rows }: LabelledFeatures,
  { probe, chosen, trainingAccuracy, validation }: Adapted,
): string[] {
  const figures = Object.entries(chosen).filter(([, value]) => typeof value === "number");
  const choices = figures.map(([name, value]) => `${name} ${Number((value as number).toPrecision(3))}`);
  return [
    `${printable(out)}: ${method}, ${probe.bias.length} classes, ${rows} rows, training accuracy ${percent(trainingAccuracy)}`,
    ...(choices.length === 0 ? [] : [`chosen: ${choices.join(", ")}`]),
    ...(validation === null
      ? []
      : [`validation accuracy ${percent(validation.adapted)}, zero-shot ${percent(validation.zeroShot)}`]),
  ];
}

function libraryOptions({
  penalty,
  alpha,
  beta,
  maxAlpha = largestFactors.alpha,
  maxBeta = largestFactors.beta,
  epochs,
  lr,
  batchSize,
  seed,
}: Options): Parameters<typeof adaptTo>[4] {
  return {
    ...(penalty !== undefined && { penalty }),
    ...(alpha !== undefined && beta !== undefined && { factors: { alpha, beta } }),
    largest: { alpha: maxAlpha, beta: maxBeta },
    ...(epochs !== undefined && { epochs }),
    ...(lr !== undefined && { learningRate: lr }),
    ...(batchSize !== undefined && { batchSize }),
    ...(seed !== undefined && { seed }),
  };
}

/** Refuses options that the method does not use. */
function refuseUnused(options: Options): void {
  const { method, penalty, alpha, beta, maxAlpha, maxBeta, epochs, lr, batchSize, seed, shots } = options;
  const search = { "--max-alpha": maxAlpha, "--max-beta": maxBeta };
  const idle: Record<string, number | undefined> = {
    head: {
      ...search,
      "--alpha": alpha,
      "--beta": beta,
      "--epochs": epochs,
      "--lr": lr,
      "--batch-size": batchSize,
    },
    "tip-adapter": {
      ...(alpha !== undefined && search),
      "--penalty": penalty,
      "--epochs": epochs,
      "--lr": lr,
      "--batch-size": batchSize,
    },
    "tip-adapter-f": { "--penalty": penalty },
  }[method];
  const given = Object.entries(idle).find(([, value]) => value !== undefined);
  if (given !== undefined) throw new InputError(`${given[0]} has no effect with the method ${method}`);
  if (seed !== undefined && shots === undefined && method !== "tip-adapter-f") {
    throw new InputError(`--seed has no effect with the method ${method} without --shots`);
  }
  if ((alpha === undefined) !== (beta === undefined)) {
    throw new InputError("expected --alpha and --beta together");
  }
}
