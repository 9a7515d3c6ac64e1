/** The options of `clipscope train`: open_clip's names where it has them. */
import { Option, type Command } from "commander";
import type { DatasetType } from "../../lib/node/train/pairs.ts";
import type { TrainSettings } from "../../lib/node/train/settings.ts";
import { parseAugmentation } from "./aug-cfg.ts";
import type { GlobalOptions } from "./global-options.ts";
import { collect, nonNegativeNumber, positiveInteger, wholeNumber } from "./option-values.ts";

/** As commander gives them. */
export interface TrainOptions extends GlobalOptions {
  readonly trainData: string;
  readonly valData?: string;
  readonly zeroshotData?: string;
  readonly datasetType: DatasetType;
  readonly csvSeparator: string;
  readonly csvImgKey: string;
  readonly csvCaptionKey: string;
  readonly batchSize: number;
  readonly accumFreq: number;
  readonly epochs: number;
  readonly lr: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  readonly wd: number;
  readonly warmup?: number;
  readonly lrScheduler: TrainSettings["lrScheduler"];
  readonly epochsCooldown?: number;
  readonly lrCooldownEnd: number;
  readonly lrCooldownPower: number;
  readonly gradClipNorm?: number;
  readonly gradCheckpointing?: boolean;
  readonly lockImage?: boolean;
  readonly lockImageUnlockedGroups: number;
  readonly lockImageFreezeBnStats?: boolean;
  readonly lockText?: boolean;
  readonly lockTextUnlockedLayers: number;
  readonly lockTextFreezeLayerNorm?: boolean;
  readonly workers: number;
  readonly seed: number;
  readonly dropout?: number;
  readonly imageFeatures?: string;
  readonly cacheImageFeatures?: boolean;
  readonly imageViews: number;
  readonly augCfg?: readonly string[];
  readonly trainNumSamples?: number;
  readonly logs: string;
  readonly name?: string;
  readonly saveFrequency: number;
  readonly saveMostRecent?: boolean;
  readonly deletePreviousCheckpoint?: boolean;
  readonly valFrequency: number;
  readonly zeroshotFrequency: number;
  readonly logEveryNSteps: number;
  readonly resume?: string;
  readonly pretrained?: string;
}

export function addTrainOptions(command: Command): Command {
  const whole = (flags: string, description: string, value: number): Option =>
    new Option(flags, description).argParser(wholeNumber).default(value);
  const positive = (flags: string, description: string, value: number): Option =>
    new Option(flags, description).argParser(positiveInteger).default(value);
  const number = (flags: string, description: string, value?: number): Option => {
    const option = new Option(flags, description).argParser(nonNegativeNumber);
    return value === undefined ? option : option.default(value);
  };
  return command
    .requiredOption(
      "--train-data <path>",
      "table of images and captions (.csv, .tsv), or WebDataset shards ({000..009}.tar)",
    )
    .option("--val-data <path>", "pairs to validate on, like --train-data")
    .option(
      "--zeroshot-data <dataset>",
      "measure zero-shot accuracy on a dataset of `clipscope eval`, such as a folder per class",
    )
    .addOption(
      new Option("--dataset-type <type>", "kind of --train-data and --val-data")
        .choices(["csv", "webdataset", "auto"])
        .default("auto"),
    )
    .addOption(new Option("--csv-separator <character>", "separator of tables").default("\t", "tab"))
    .option("--csv-img-key <name>", "column of image paths", "filepath")
    .option("--csv-caption-key <name>", "column of captions", "title")
    .option(
      "--train-num-samples <n>",
      "pairs of an epoch, drawn from all in random order (default: all)",
      positiveInteger,
    )
    .option(
      "--aug-cfg <key=value>",
      'random crops and colours: "scale=(0.4,1)", "color_jitter=(0.4,0.4,0.4,0.1)", color_jitter_prob, gray_scale_prob; repeatable',
      collect,
    )
    .addOption(positive("--batch-size <n>", "pairs per batch", 64))
    .addOption(positive("--accum-freq <n>", "batches per step, whose pairs are compared with each other", 1))
    .addOption(positive("--epochs <n>", "passes over the data", 32))
    .addOption(number("--lr <rate>", "learning rate", 5e-4))
    .addOption(number("--beta1 <number>", "AdamW's β₁ (default: 0.9)"))
    .addOption(number("--beta2 <number>", "AdamW's β₂ (default: 0.98, as open_clip's for ViT models)"))
    .addOption(number("--eps <number>", "AdamW's ε (default: 1e-6, as open_clip's for ViT models)"))
    .addOption(number("--wd <number>", "weight decay of matrices", 0.2))
    .option(
      "--warmup <steps>",
      "steps in which the learning rate grows (default: a tenth of the run, at most 10000)",
      wholeNumber,
    )
    .addOption(
      new Option("--lr-scheduler <name>", "how the learning rate falls")
        .choices(["cosine", "const", "const-cooldown"])
        .default("cosine"),
    )
    .option("--epochs-cooldown <n>", "const-cooldown: epochs at the end in which it falls", positiveInteger)
    .addOption(number("--lr-cooldown-end <rate>", "const-cooldown: the last rate", 0))
    .addOption(number("--lr-cooldown-power <n>", "const-cooldown: 1 for a line", 1))
    .addOption(number("--grad-clip-norm <norm>", "largest norm of the gradient (default: any)"))
    .option(
      "--grad-checkpointing",
      "compute blocks again in the backward pass, also where their activations fit into memory",
    )
    .option("--lock-image", "keep the image tower's weights")
    .addOption(whole("--lock-image-unlocked-groups <n>", "train its last N groups of layers all the same", 0))
    .option("--lock-image-freeze-bn-stats", "no effect: vision transformers have no batch norms")
    .option("--lock-text", "keep the text network's weights, but for its LayerNorms and the projection")
    .addOption(whole("--lock-text-unlocked-layers <n>", "train its last N layers all the same", 0))
    .option("--lock-text-freeze-layer-norm", "keep its LayerNorms too")
    .option("--cache-image-features", "with --lock-image: embed each image once, without random crops")
    .addOption(
      whole(
        "--image-views <n>",
        "with --cache-image-features: embed N random crops of each; epoch e uses crop e mod N",
        0,
      ),
    )
    .option("--image-features <file>", "with --lock-image: use the features that `clipscope embed` wrote")
    .addOption(number("--dropout <share>", "dropout in the text network (default: as in its config)"))
    .addOption(whole("--workers <n>", "threads that read images", 4))
    .addOption(whole("--seed <n>", "seed of the order of examples, crops and dropout", 0))
    .option("--logs <dir>", "folder of runs", "./logs")
    .option("--name <name>", "name of the run (default: date and settings)")
    .addOption(
      whole("--save-frequency <epochs>", "epochs between checkpoints; the last epoch always has one", 1),
    )
    .option("--save-most-recent", "also write epoch_latest.pt after every epoch")
    .option("--delete-previous-checkpoint", "delete a checkpoint when the next is written")
    .addOption(whole("--val-frequency <epochs>", "epochs between validations; 0 for none", 1))
    .addOption(whole("--zeroshot-frequency <epochs>", "epochs between zero-shot measurements; 0 for none", 2))
    .addOption(positive("--log-every-n-steps <n>", "steps between lines of out.log", 100))
    .option(
      "--resume <file>",
      'continue from a checkpoint, of open_clip too; "latest": from the run\'s newest',
    )
    .option("--pretrained <file>", "begin with these weights instead of the model directory's");
}

/** @throws InputError for options that exclude each other */
export function trainSettings(options: TrainOptions): TrainSettings {
  const { valData, zeroshotData, warmup, epochsCooldown, gradClipNorm, dropout, imageFeatures } = options;
  return {
    ...options,
    valData: valData ?? null,
    zeroshotData: zeroshotData ?? null,
    table: {
      separator: options.csvSeparator,
      imageKey: options.csvImgKey,
      captionKey: options.csvCaptionKey,
    },
    beta1: options.beta1 ?? 0.9,
    beta2: options.beta2 ?? 0.98,
    eps: options.eps ?? 1e-6,
    warmup: warmup ?? null,
    epochsCooldown: epochsCooldown ?? null,
    gradClipNorm: gradClipNorm ?? null,
    gradCheckpointing: options.gradCheckpointing === true,
    locks: {
      ...(options.lockImage === true && { image: { unlockedGroups: options.lockImageUnlockedGroups } }),
      ...(options.lockText === true && {
        text: {
          unlockedLayers: options.lockTextUnlockedLayers,
          freezeLayerNorm: options.lockTextFreezeLayerNorm === true,
        },
      }),
    },
    dropout: dropout ?? null,
    imageFeatures: imageFeatures ?? null,
    cacheImageFeatures: options.cacheImageFeatures === true,
    augmentation: parseAugmentation(options.augCfg ?? []),
    trainNumSamples: options.trainNumSamples ?? null,
    name: options.name ?? null,
    saveMostRecent: options.saveMostRecent === true,
    deletePreviousCheckpoint: options.deletePreviousCheckpoint === true,
    resume: options.resume ?? null,
    pretrained: options.pretrained ?? null,
  };
}
