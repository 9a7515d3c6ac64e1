/** `clipscope index build`: embeds a collection into an index folder. */
import { join } from "node:path";
import type { Command } from "commander";
import { InputError } from "../../../lib/errors/input-error.ts";
import { exists } from "../../../lib/node/files/exists.ts";
import { lockOrRefuse } from "../../../lib/node/files/reserve-output.ts";
import { buildIndex, type BuildReport } from "../../../lib/node/retrieval/build-index.ts";
import { planIndex } from "../../../lib/node/retrieval/plan-index.ts";
import { readPlan } from "../../../lib/node/retrieval/read-plan.ts";
import { readIndexFile } from "../../../lib/node/retrieval/read-index-file.ts";
import { indexName } from "../../../lib/retrieval/layout.ts";
import {
  addSourceOptions,
  addTaskOptions,
  planOptions,
  taskOf,
  withLazyModel,
  type SourceOptions,
  type TaskOptions,
} from "../../options/index-options.ts";
import { examples } from "../../options/option-values.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { sourcesHelp } from "./plan.ts";

interface Options extends SourceOptions, TaskOptions {
  readonly out: string;
}

export function register(index: Command, terminal: Terminal): void {
  const command = index
    .command("build")
    .description(
      "Embed a collection into an index folder. Without sources, do what is planned. Started again, it continues " +
        `with the partition that was interrupted.\n${sourcesHelp}`,
    )
    .argument("[source...]", "images, folders, shards and lists")
    .requiredOption("--out <dir>", "index folder");
  addSourceOptions(command, true);
  addTaskOptions(command)
    .addHelpText(
      "after",
      examples(
        "clipscope index build photos/ --out photos-index",
        "clipscope index build --out index --task 3 --of 16",
        "clipscope index build --out index --task auto    # in a job array of Slurm, Kubernetes, AWS Batch, SGE, PBS",
      ) +
        "\n\nExit status: 0 done, 2 wrong use or nothing readable, 75 try again (full disk, file system, memory).",
    )
    .action(async (sources: string[], _options: unknown, self: Command) => {
      await build(sources, self.optsWithGlobals(), terminal);
    });
}

async function build(sources: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { out, json = false } = options;
  const task = taskOf(options, terminal);
  const report = await withLazyModel(options, terminal, async (load) => {
    await planIfMissing(sources, options, terminal, load);
    // Tasks may run twice: they write the same bytes. Without a task, a second process would do all the work again.
    const release = task === undefined ? await lockOrRefuse(join(out, "build"), out) : null;
    try {
      return await terminal.progress((show) =>
        buildIndex(out, {
          ...(task !== undefined && { task }),
          steal: options.steal ?? false,
          loadModel: load,
          onFailed: (message) => {
            terminal.warn(message);
          },
          onProgress: (done, total) => {
            show({ done, total, unit: "images" });
          },
        }),
      );
    } finally {
      await release?.();
    }
  });
  if (report.rows === 0 && report.failed > 0)
    terminal.report(new InputError(`${out}: none of the ${report.failed} images could be read`));
  if (json) terminal.printJson({ out, ...report });
  else terminal.print(`${printable(out)}: ${summaryOf(report)}`);
}

/** "2 partitions built, 13 rows, 1 image failed" */
export function summaryOf({ built, skipped, left, rows, failed }: BuildReport): string {
  const parts = [
    `${built} ${built === 1 ? "partition" : "partitions"} built`,
    `${rows} rows`,
    ...(failed > 0 ? [`${failed} ${failed === 1 ? "image" : "images"} failed`] : []),
    ...(skipped > 0 ? [`${skipped} built before`] : []),
    ...(left > 0 ? [`${left} left to other tasks`] : []),
  ];
  return parts.join(", ");
}

type LoadModel = Parameters<Parameters<typeof withLazyModel>[2]>[0];

/** Plans the sources, unless they are planned. @throws InputError if the index was planned with other sources */
async function planIfMissing(
  sources: readonly string[],
  options: Options,
  terminal: Terminal,
  load: LoadModel,
): Promise<void> {
  const { out } = options;
  if (!(await exists(join(out, indexName)))) {
    if (sources.length === 0) {
      throw new InputError(
        `${out}: expected a planned index, or sources to plan one; name images, shards or a list`,
      );
    }
    try {
      await planIndex(out, sources, await load(), planOptions(options, terminal));
      return;
    } catch (error) {
      // Another task may have planned it meanwhile.
      if (!(await exists(join(out, indexName)))) throw error;
    }
  }
  if (sources.length === 0) return;
  const [first] = (await readIndexFile(out)).plans;
  const planned = first === undefined ? [] : (await readPlan(out, first)).sources;
  if (planned.length === sources.length && planned.every((source, i) => source === sources[i])) return;
  throw new InputError(
    `${out}: was planned with other sources (${planned.join(", ")}); use "clipscope index add" for more`,
  );
}
