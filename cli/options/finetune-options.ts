/** The options of `clipscope finetune`. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import type { FinetuneLoss, FinetuneSettings } from "../../lib/node/finetune/settings.ts";
import { loraModules, type LoraModule } from "../../lib/train/lora-targets.ts";
import type { GlobalOptions } from "./global-options.ts";
import { collect, fraction, nonNegativeNumber, positiveInteger, wholeNumber } from "./option-values.ts";
import { templateOption } from "./output-options.ts";

/** As commander gives them. */
export interface FinetuneCommandOptions extends GlobalOptions {
  readonly images?: string[];
  readonly list?: string;
  readonly validation?: string[];
  readonly validationList?: string;
  readonly validationFraction?: number;
  readonly out: string;
  readonly loss: FinetuneLoss;
  readonly blocks: number;
  readonly textBlocks?: number;
  readonly loraRank?: number;
  readonly loraAlpha?: number;
  readonly loraModules?: LoraModule[];
  readonly loraDropout?: number;
  readonly template?: string[];
  readonly batchSize: number;
  readonly epochs: number;
  readonly lr?: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly wd: number;
  readonly warmup?: number;
  readonly gradClipNorm?: number;
  readonly labelSmoothing?: number;
  readonly dropout?: number;
  readonly seed: number;
}

/** wise-ft's for weights, CLIP-LoRA's for adapters. */
const defaultRates = { weights: 1e-5, lora: 2e-4 };

export function addFinetuneOptions(command: Command): Command {
  const number = (flags: string, description: string, value: number): Option =>
    new Option(flags, description).argParser(nonNegativeNumber).default(value);
  const positive = (flags: string, description: string, value: number): Option =>
    new Option(flags, description).argParser(positiveInteger).default(value);
  return command
    .option("--images <path>", "training images, in one subfolder per class; may be repeated", collect)
    .option("--list <file>", "read training images from a list: a path, a tab and the class on each line")
    .option("--validation <path>", "images that decide the epoch, and nothing else; may be repeated", collect)
    .option("--validation-list <file>", "read them from a list")
    .option(
      "--validation-fraction <number>",
      "instead of --validation: hold out this fraction of each class, chosen by --seed",
      fraction,
    )
    .requiredOption("--out <dir>", "folder of the run and of its result")
    .addOption(
      new Option(
        "--loss <name>",
        "ce: cross-entropy with a classifier that begins as the zero-shot one; flyp: contrastive, with prompts of the classes",
      )
        .choices(["ce", "flyp"])
        .default("ce"),
    )
    .addOption(
      new Option("--blocks <n>", "train the last N blocks of the image tower, and its projection")
        .argParser(wholeNumber)
        .default(2),
    )
    .option(
      "--text-blocks <n>",
      "flyp: the same of the text tower (default: as --blocks, at most all)",
      wholeNumber,
    )
    .option(
      "--lora-rank <r>",
      "train low-rank adapters of these blocks in place of their weights",
      positiveInteger,
    )
    .option(
      "--lora-alpha <number>",
      "the adapters' change is scaled by alpha / rank (default: 2 x rank)",
      nonNegativeNumber,
    )
    .option(
      "--lora-modules <list>",
      `parts of a block that get adapters: ${loraModules.join(", ")} (default: attention)`,
      modules,
    )
    .option("--lora-dropout <share>", "dropout of the adapters' inputs (default: 0)", share)
    .addOption(templateOption())
    .addOption(positive("--batch-size <n>", "images per step", 32))
    .addOption(positive("--epochs <n>", "passes over the images", 10))
    .option(
      "--lr <rate>",
      `learning rate (default: ${defaultRates.weights}, of adapters ${defaultRates.lora})`,
      nonNegativeNumber,
    )
    .addOption(number("--beta1 <number>", "AdamW's β₁", 0.9))
    .addOption(number("--beta2 <number>", "AdamW's β₂", 0.999))
    .addOption(number("--eps <number>", "AdamW's ε", 1e-8))
    .addOption(number("--wd <number>", "weight decay", 0.1))
    .option(
      "--warmup <steps>",
      "steps in which the learning rate grows (default: a tenth of the run)",
      wholeNumber,
    )
    .option(
      "--grad-clip-norm <norm>",
      "largest norm of the gradient (default: 1 for ce, any for flyp)",
      nonNegativeNumber,
    )
    .option(
      "--label-smoothing <share>",
      "ce: share of the truth that is spread over all classes (default: 0)",
      share,
    )
    .option("--dropout <share>", "flyp: dropout in the text network (default: as in its config)", share)
    .addOption(
      new Option("--seed <n>", "seed of the order of images, adapters, prompts and dropout")
        .argParser(wholeNumber)
        .default(0),
    );
}

function modules(text: string): LoraModule[] {
  const names = text.split(",").map((name) => name.trim());
  const known = names.filter((name): name is LoraModule => loraModules.some((one) => one === name));
  if (known.length === names.length) return known;
  throw new InvalidArgumentError(`Expected some of ${loraModules.join(", ")}, separated by commas.`);
}

/** From 0 to below 1. */
function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value < 1)) {
    throw new InvalidArgumentError("Expected a number from 0 to below 1.");
  }
  return value;
}

/** @throws InputError for options that have no effect */
export function finetuneSettings(options: FinetuneCommandOptions): FinetuneSettings {
  refuseUnused(options);
  const { loss, blocks, loraRank: rank, lr, warmup, gradClipNorm } = options;
  return {
    loss,
    blocks,
    textBlocks: options.textBlocks ?? null,
    lora:
      rank === undefined
        ? null
        : {
            rank,
            alpha: options.loraAlpha ?? 2 * rank,
            modules: options.loraModules ?? ["attention"],
            dropout: options.loraDropout ?? 0,
          },
    templates: options.template ?? ["{}"],
    batchSize: options.batchSize,
    epochs: options.epochs,
    lr: lr ?? (rank === undefined ? defaultRates.weights : defaultRates.lora),
    beta1: options.beta1,
    beta2: options.beta2,
    eps: options.eps,
    wd: options.wd,
    warmup: warmup ?? null,
    gradClipNorm: gradClipNorm ?? (loss === "ce" ? 1 : null),
    labelSmoothing: options.labelSmoothing ?? 0,
    dropout: options.dropout ?? null,
    seed: options.seed,
  };
}

function refuseUnused({
  loss,
  loraRank,
  textBlocks,
  labelSmoothing,
  dropout,
  loraAlpha,
  loraModules: parts,
  loraDropout,
}: FinetuneCommandOptions): void {
  const idle: readonly (readonly [option: string, value: unknown, where: string])[] = [
    ...(loss === "ce"
      ? ([
          ["--text-blocks", textBlocks, "--loss ce"],
          ["--dropout", dropout, "--loss ce"],
        ] as const)
      : ([["--label-smoothing", labelSmoothing, "--loss flyp"]] as const)),
    ...(loraRank === undefined
      ? ([
          ["--lora-alpha", loraAlpha, "out --lora-rank"],
          ["--lora-modules", parts, "out --lora-rank"],
          ["--lora-dropout", loraDropout, "out --lora-rank"],
        ] as const)
      : []),
  ];
  const given = idle.find(([, value]) => value !== undefined);
  if (given === undefined) return;
  const [option, , where] = given;
  throw new InputError(`${option} has no effect with${where.startsWith("out") ? where : ` ${where}`}`);
}
