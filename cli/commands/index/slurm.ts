/** `clipscope index slurm`: the job array that builds an index. */
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { InputError } from "../../../lib/errors/input-error.ts";
import { makeFolder } from "../../../lib/node/files/make-folder.ts";
import { writeWhole } from "../../../lib/node/files/write-file.ts";
import { readIndexFile } from "../../../lib/node/retrieval/read-index-file.ts";
import { slurmScript } from "../../../lib/retrieval/slurm-script.ts";
import type { GlobalOptions } from "../../options/global-options.ts";
import { collect, examples, positiveInteger, wholeNumber } from "../../options/option-values.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly tasks?: number;
  readonly atOnce?: number;
  readonly sbatch?: string[];
  readonly retries: number;
  readonly steal?: boolean;
  readonly submit?: boolean;
}

export function register(index: Command, terminal: Terminal): void {
  index
    .command("slurm")
    .description(
      "Write the Slurm job array that builds a planned index, to DIR/build.sbatch, and with --submit submit it.",
    )
    .argument("<dir>", "planned index folder, on a disk that all nodes share")
    .option(
      "--tasks <n>",
      "tasks of the array (default: one for each partition, at most 1000)",
      positiveInteger,
    )
    .option("--at-once <n>", "tasks that run at the same time, at most", positiveInteger)
    .option(
      "--sbatch <option>",
      "an option of sbatch, such as --sbatch=--gres=gpu:1; may be repeated",
      collect,
    )
    .option("--retries <n>", "run a task again so often if it ends with 75, try again", wholeNumber, 3)
    .option("--steal", "tasks that are done take over partitions that no other works on")
    .option("--submit", "submit the array with sbatch")
    .addHelpText(
      "after",
      examples(
        "clipscope index slurm index --tasks 64 --sbatch=--gres=gpu:1 --sbatch=--time=12:00:00",
        "clipscope index slurm index --tasks 64 --submit",
      ),
    )
    .action(async (folder: string, _options: unknown, self: Command) => {
      await slurm(folder, self.optsWithGlobals(), terminal);
    });
}

/** Slurm's default limit of a job array (MaxArraySize). */
const mostTasks = 1000;

async function slurm(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { sbatch = [], retries, steal = false, submit = false, atOnce, json = false } = options;
  const { plans } = await readIndexFile(folder);
  const partitions = plans.reduce((sum, { count, isCompacted }) => sum + (isCompacted ? 0 : count), 0);
  if (partitions === 0) throw new InputError(`${folder}: expected planned partitions, found none`);
  const tasks = options.tasks ?? Math.min(partitions, mostTasks);
  const place = resolve(folder);
  const script = slurmScript({
    folder: place,
    // The same Node and the same program on every node of the cluster.
    command: [process.execPath, resolve(process.argv[1] ?? "clipscope")],
    args: [...modelArgs(options), ...(steal ? ["--steal"] : [])],
    tasks,
    ...(atOnce !== undefined && { atOnce }),
    sbatch,
    retries,
  });
  const path = join(folder, "build.sbatch");
  await makeFolder(join(folder, "logs"));
  await writeWhole(path, [new TextEncoder().encode(script)]);
  const job = submit ? await submitScript(path) : null;
  if (json) terminal.printJson({ script: path, tasks, partitions, job });
  else {
    const next = job === null ? `submit it with: sbatch ${path}` : `job ${job}`;
    terminal.print(`${printable(path)}: ${tasks} tasks for ${partitions} partitions; ${next}`);
  }
}

/** The model as this command was given it, with paths made absolute. */
function modelArgs({ model, arch, backend }: Options): string[] {
  const name = model === undefined || model.startsWith("hf:") ? model : resolve(model);
  return [
    ...(name === undefined ? [] : ["--model", name]),
    ...(arch === undefined ? [] : ["--arch", arch]),
    ...(backend === "auto" ? [] : ["--backend", backend]),
  ];
}

/** @returns the job's number @throws InputError if sbatch is missing or refuses */
async function submitScript(path: string): Promise<string> {
  const child = spawn("sbatch", ["--parsable", path], { stdio: ["ignore", "pipe", "pipe"] });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const status = await new Promise<number | null>((done, fail) => {
    child.on("close", done);
    child.on("error", (cause) => {
      fail(new InputError("sbatch cannot be run; submit the script where Slurm is", [], { cause }));
    });
  });
  if (status === 0) return output.trim().split(";")[0]!;
  throw new InputError(`sbatch refuses ${path}: ${errors.trim()}`);
}
