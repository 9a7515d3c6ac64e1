/** Options and steps that the commands of `clipscope index` share. */
import { Option, type Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { defaultBatchSize } from "../../lib/tasks/embed-images.ts";
import type { PlanOptions } from "../../lib/node/retrieval/plan-index.ts";
import { mixedBackends } from "../../lib/retrieval/plan-file.ts";
import { checkedTask, taskFromEnvironment, type Task } from "../../lib/retrieval/task.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { positiveInteger, wholeNumber } from "./option-values.ts";
import { batchOption, exifOption } from "./with-images.ts";
import { loadModelOf, weightsOption, type ModelOptions } from "./with-model.ts";

/** Rows of a partition by default: 200 MB of vectors of 1,024 numbers. */
export const defaultPartitionRows = 100_000;

export interface SourceOptions extends ModelOptions {
  readonly partitionRows: number;
  readonly samplesPerShard?: number;
  readonly pathColumn?: string;
  readonly captionColumn?: string;
  readonly captions?: boolean;
  readonly exif?: boolean;
  readonly batch?: number;
}

/** What a plan depends on. `captions` and `exif` are chosen for a whole index. */
export function addSourceOptions(command: Command, isNew: boolean): Command {
  command
    .option(
      "--partition-rows <n>",
      "images of a partition, about: shards are not divided",
      positiveInteger,
      defaultPartitionRows,
    )
    .option("--samples-per-shard <n>", "do not count the samples of shards", positiveInteger)
    .option("--path-column <name>", "column of a list with the paths (default: image_path, path, …)")
    .option("--caption-column <name>", "column of a list with the captions (default: caption, text)");
  if (isNew) {
    command.option("--captions", "embed the captions too, into text_emb").addOption(exifOption());
  }
  return command.addOption(batchOption()).addOption(weightsOption());
}

/** The options in the library's form. */
export function planOptions(options: SourceOptions, terminal: Terminal): PlanOptions {
  const {
    partitionRows,
    samplesPerShard,
    pathColumn,
    captionColumn,
    captions = false,
    exif,
    batch,
  } = options;
  return {
    partitionRows,
    captions,
    batch: batch ?? defaultBatchSize,
    // A backend that is named is meant: its bits differ from another one's.
    backend: options.backend === "auto" ? mixedBackends : options.backend,
    onError: terminal.report,
    ...(samplesPerShard !== undefined && { samplesPerShard }),
    ...(pathColumn !== undefined && { pathColumn }),
    ...(captionColumn !== undefined && { captionColumn }),
    ...(exif !== undefined && { exifOrientation: exif }),
  };
}

export interface TaskOptions {
  readonly task?: string;
  readonly of?: number;
  readonly first?: number;
  readonly steal?: boolean;
}

export function addTaskOptions(command: Command): Command {
  return command
    .option(
      "--task <i>",
      "do the partitions of one task only; auto takes its number from the scheduler of an array job",
    )
    .option("--of <n>", "the number of tasks", positiveInteger)
    .addOption(
      new Option("--first <i>", "with --task auto and --of: the number of the first task").argParser(
        wholeNumber,
      ),
    )
    .option("--steal", "then do partitions that no other task works on");
}

/** @throws InputError for options that do not name a task */
export function taskOf({ task, of, first }: TaskOptions, terminal: Terminal): Task | undefined {
  if (task === undefined) {
    if (of !== undefined || first !== undefined) throw new InputError("--of requires --task");
    return undefined;
  }
  if (task === "auto") return taskFromEnvironment(terminal.env, of, first);
  if (!/^\d{1,9}$/.test(task)) throw new InputError(`--task ${task}: expected a whole number, or auto`);
  if (of === undefined) throw new InputError("--task requires --of N, the number of tasks");
  return checkedTask({ index: Number(task), of }, `--task ${task}`);
}

/**
 * Calls `use` with a function that loads the model once, when it is first needed, and disposes it afterwards.
 */
export async function withLazyModel<T>(
  options: ModelOptions,
  terminal: Terminal,
  use: (load: () => Promise<Clip>) => Promise<T>,
): Promise<T> {
  let model: Promise<Clip> | null = null;
  try {
    return await use(() => (model ??= loadModelOf(options, terminal)));
  } finally {
    // A model that could not be loaded has been reported by whoever asked for it.
    await (model as Promise<Clip> | null)?.then(
      (clip) => clip.dispose(),
      () => undefined,
    );
  }
}
