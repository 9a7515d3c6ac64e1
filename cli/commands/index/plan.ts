/** `clipscope index plan`: lists the inputs of an index once. */
import type { Command } from "commander";
import { planIndex } from "../../../lib/node/retrieval/plan-index.ts";
import {
  addSourceOptions,
  planOptions,
  withLazyModel,
  type SourceOptions,
} from "../../options/index-options.ts";
import { examples } from "../../options/option-values.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends SourceOptions {
  readonly out: string;
}

export const sourcesHelp =
  "Sources are image files and folders, shards ('shards/{00000..00999}.tar', or a folder with tars, such as " +
  "img2dataset writes), and lists (.txt, .csv, .tsv, .jsonl, .parquet) of image files with captions and other columns.";

export function register(index: Command, terminal: Terminal): void {
  const command = index
    .command("plan")
    .description(
      "List the inputs of an index once and divide them into partitions, for tasks on one machine or many.\n" +
        sourcesHelp,
    )
    .argument("<source...>", "images, folders, shards and lists")
    .requiredOption("--out <dir>", "index folder to make");
  addSourceOptions(command, true)
    .addHelpText(
      "after",
      examples(
        "clipscope index plan photos/ --out photos-index",
        "clipscope index plan 'shards/{00000..00999}.tar' --out index --captions",
        "clipscope index plan list.csv --path-column file --caption-column title --out index",
      ),
    )
    .action(async (sources: string[], _options: unknown, self: Command) => {
      await plan(sources, self.optsWithGlobals(), terminal);
    });
}

async function plan(sources: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { out, json = false } = options;
  const made = await withLazyModel(options, terminal, async (load) =>
    planIndex(out, sources, await load(), planOptions(options, terminal)),
  );
  const { partitions } = made.plan;
  const images = partitions.reduce<number | null>(
    (sum, of) => (sum === null || of.images === null ? null : sum + of.images),
    0,
  );
  if (json) terminal.printJson({ out, partitions: partitions.length, images, digest: made.entry.digest });
  else {
    const count = images === null ? "" : `, ${images} images`;
    terminal.print(`${printable(out)}: ${partitions.length} partitions${count}`);
  }
}
