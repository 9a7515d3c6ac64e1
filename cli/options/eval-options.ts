/** The options of `clipscope eval`. */
import { Option, type Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import type { TaskName } from "../../lib/eval/evaluation.ts";
import type { LinearProbeOptions } from "../../lib/node/eval/linear-probe.ts";
import { batchOption } from "./with-images.ts";
import { collect, nonNegativeNumber, positiveInteger, wholeNumber } from "./option-values.ts";
import { precisionOption, weightsOption, type ModelOptions } from "./with-model.ts";

export interface EvalOptions extends ModelOptions {
  readonly data?: string;
  readonly language?: string[];
  readonly recallK?: string[];
  readonly split?: string;
  readonly annotations?: string;
  readonly classnames?: string;
  readonly templates?: string;
  readonly dumpClassnames?: boolean;
  readonly dumpTemplates?: boolean;
  readonly task: "auto" | TaskName;
  readonly trainSplit?: string;
  readonly valSplit?: string;
  readonly valProportion?: number;
  readonly saveClf?: string;
  readonly loadClfs?: string[];
  readonly fewshotK?: number;
  readonly fewshotEpochs?: number;
  readonly fewshotLr?: number;
  readonly seed?: number;
  readonly limit?: number;
  readonly batch?: number;
  readonly out?: string;
  readonly features?: string;
  readonly compare?: string;
  readonly tolerance?: number;
  readonly dryRun?: boolean;
}

export function addEvalOptions(command: Command): Command {
  return command
    .option(
      "--data <dir>",
      "folder of the datasets; {dataset} is replaced by the name, {dataset_cleaned} by the name with - for / (default: the current folder)",
    )
    .option(
      "--language <code>",
      "language of class names, templates and captions, as CLIP_benchmark writes it; may be repeated (default: en)",
      collect,
    )
    .option("--recall-k <k>", "for retrieval, measure recall@K; may be repeated (default: 5)", collect)
    .option("--split <name>", "part of the dataset (default: test)")
    .option("--annotations <file>", "captions of a dataset that has them in a file of another name")
    .option("--classnames <file>", "class names by dataset (JSON), or one of CLIP_benchmark's files by name")
    .option("--templates <file>", "templates by dataset (JSON), or one of CLIP_benchmark's files by name")
    .option(
      "--save-clf <file>",
      "write the embeddings of the classes as a probe file; {dataset} and {language} are replaced",
    )
    .option(
      "--load-clfs <file>",
      "classify with the mean of such files, or of CLIP_benchmark's, instead of prompts; may be repeated",
      collect,
    )
    .option("--dump-classnames", "add the class names to the JSON files")
    .option("--dump-templates", "add the templates to the JSON files")
    .addOption(
      new Option(
        "--task <name>",
        "task; auto takes it from what the dataset holds, linear_probe fits a probe on another split",
      )
        .choices([
          "auto",
          "zeroshot_classification",
          "zeroshot_retrieval",
          "image_caption_selection",
          "linear_probe",
        ])
        .default("auto"),
    )
    .option("--train-split <name>", "linear_probe: split to fit on (default: train)")
    .option(
      "--val-split <name>",
      "linear_probe: split to choose the weight decay on (default: weight decay 0)",
    )
    .addOption(
      new Option(
        "--val-proportion <share>",
        "linear_probe: share of the training images to choose the weight decay on, at random",
      )
        .argParser(shareBetween)
        .conflicts("valSplit"),
    )
    .option("--fewshot-k <k>", "linear_probe: fit on K images per class (default: all)", positiveInteger)
    .option("--fewshot-epochs <n>", "linear_probe: epochs (default: 10)", positiveInteger)
    .option("--fewshot-lr <number>", "linear_probe: learning rate (default: 0.1)", nonNegativeNumber)
    .option("--seed <n>", "linear_probe: seed (default: 0)", wholeNumber)
    .option(
      "--limit <n>",
      "evaluate the first N images only; the result is marked as partial",
      positiveInteger,
    )
    .option(
      "--out <dir>",
      "write CLIP_benchmark's JSON files to this folder; finished results there are kept",
    )
    .option(
      "--features <dir>",
      "keep the embeddings of images and texts here (default: features in the cache folder, CLIPSCOPE_CACHE)",
    )
    .addOption(compareOption())
    .addOption(toleranceOption())
    .option("--dry-run", "show what would be evaluated: images, texts, prompts and where they come from")
    .addOption(batchOption())
    .addOption(weightsOption())
    .addOption(precisionOption());
}

export function compareOption(): Option {
  return new Option(
    "--compare <file>",
    'published figures to compare with (JSON), or "published" for those that come along (default: published)',
  );
}

export function toleranceOption(): Option {
  return new Option(
    "--tolerance <number>",
    "how far figures may be from published ones (default: depends on the source, 0.002 to 0.005)",
  ).argParser(nonNegativeNumber);
}

function shareBetween(text: string): number {
  const share = Number(text);
  if (text.trim() !== "" && share > 0 && share < 1) return share;
  throw new InputError(`--val-proportion ${text}: expected a number between 0 and 1`);
}

/** The values of `--recall-k`. @throws InputError for anything but whole numbers above 0 */
export function readRecallK(given: readonly string[]): number[] {
  return given.map((text) => {
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    throw new InputError(`--recall-k ${text}: expected a whole number above 0`);
  });
}

/** The options of a linear probe in the library's form. */
export function probeOptions({
  fewshotK,
  fewshotEpochs,
  fewshotLr,
  valProportion,
  seed,
}: EvalOptions): Pick<
  LinearProbeOptions,
  "shots" | "epochs" | "learningRate" | "seed" | "validationProportion"
> {
  return {
    ...(valProportion === undefined ? {} : { validationProportion: valProportion }),
    ...(fewshotK === undefined ? {} : { shots: fewshotK }),
    ...(fewshotEpochs === undefined ? {} : { epochs: fewshotEpochs }),
    ...(fewshotLr === undefined ? {} : { learningRate: fewshotLr }),
    ...(seed === undefined ? {} : { seed }),
  };
}
