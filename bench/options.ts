/** The command line options of `npm run bench`. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { backendNames, parseBackendChoice, type BackendChoice } from "../lib/tensor/backend.ts";
import { InputError } from "../lib/errors/input-error.ts";

export const sectionNames = [
  "towers",
  "precision",
  "text",
  "growth",
  "memory",
  "load",
  "cold",
  "preprocess",
  "throughput",
  "batching",
  "scale",
  "tokenizer",
  "probe",
  "train",
  "studio",
  "scan",
  "index",
  "collection",
  "serve",
] as const;
export type SectionName = (typeof sectionNames)[number];

export interface BenchOptions {
  readonly only: readonly SectionName[];
  readonly backend: readonly BackendChoice[];
  readonly batch: readonly number[];
  readonly arch: string;
  readonly model?: string;
  readonly blocks?: number;
  readonly repeats: number;
  readonly limit: number;
  readonly peers: boolean;
  readonly python: string;
  readonly modules: string;
  readonly keep: boolean;
  readonly rows: number;
}

/**
 * @returns null if the arguments asked for help, which has been printed then
 * @throws InputError for an unknown or invalid argument
 */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const program = new Command("npm run bench --")
    .description(
      "Measures clipscope on this machine, and with --peers other programs too. Without --model it writes models of the published size with synthetic weights (4.8 GB, and 2.4 GB in F16).",
    )
    .addOption(
      new Option("--only <sections>", `sections to run, of ${sectionNames.join(",")}`)
        .argParser((text) => list(text, section))
        .default(sectionNames, "all"),
    )
    .addOption(
      new Option("--backend <names>", `auto, or a list of ${backendNames.join(",")}`)
        .argParser((text) => list(text, (name) => parseBackendChoice(name, "--backend")))
        .default(["auto"], "auto"),
    )
    .addOption(
      new Option("--batch <sizes>", "batch sizes of the image tower")
        .argParser((text) => list(text, count))
        .default([1, 8], "1,8"),
    )
    .option("--arch <name>", "open_clip's name of the architecture", "xlm-roberta-large-ViT-H-14")
    .addOption(
      new Option("--model <dir>", "measure this model directory instead").conflicts(["arch", "blocks"]),
    )
    .option("--blocks <n>", "blocks per tower, for a quick run", count)
    .option("--repeats <n>", "maximum number of rounds per measurement", count, 5)
    .option("--limit <seconds>", "start no further round of a measurement after this time", count, 60)
    .option(
      "--peers",
      "also measure PyTorch with open_clip, onnxruntime, Pillow, sharp and scikit-learn",
      false,
    )
    .option("--python <path>", "a Python that has the Python peers", "python3")
    .option("--modules <dir>", "a folder where npm has installed onnxruntime-node", ".")
    .addOption(
      new Option("--rows <n>", "rows of the larger index in scan")
        .argParser(wholePartitions)
        .default(1_000_000),
    )
    .option("--keep", "keep the synthetic models for the next run", false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  try {
    return program.parse(args, { from: "user" }).opts<BenchOptions>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new InputError(`${error.message.replace(/^error: /, "")} (--help lists the options)`);
  }
}

function list<T>(text: string, parse: (item: string) => T): T[] {
  return text.split(",").map((item) => parse(item.trim()));
}

function section(name: string): SectionName {
  const found = sectionNames.find((known) => known === name);
  if (found === undefined) {
    throw new InvalidArgumentError(`Unknown section "${name}", expected ${sectionNames.join(", ")}.`);
  }
  return found;
}

/** In `scan`, an index has partitions of this many rows. */
export const rowsPerPartition = 100_000;

function wholePartitions(text: string): number {
  const value = count(text);
  if (value % rowsPerPartition !== 0)
    throw new InvalidArgumentError(`Expected a multiple of ${rowsPerPartition}, found "${text}".`);
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) {
    throw new InvalidArgumentError(`Expected a whole number above 0, found "${text}".`);
  }
  return value;
}
