/** `clipscope index status`: what an index holds, and what is left to do. */
import type { Command } from "commander";
import { indexStatus, type IndexStatus } from "../../../lib/node/retrieval/index-status.ts";
import type { GlobalOptions } from "../../options/global-options.ts";
import { examples } from "../../options/option-values.ts";
import { printable } from "../../terminal/format.ts";
import { layOutTable, type Column } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";

export function register(index: Command, terminal: Terminal): void {
  index
    .command("status")
    .description("Show the partitions of an index: done, running or missing, and images per second.")
    .argument("<dir>", "index folder")
    .addHelpText(
      "after",
      examples("clipscope index status photos-index", "clipscope index status index --json"),
    )
    .action(async (folder: string, _options: unknown, self: Command) => {
      const { json = false } = self.optsWithGlobals<GlobalOptions>();
      const status = await indexStatus(folder);
      if (json) terminal.printJson(status);
      else terminal.printLines(linesOf(status, terminal));
    });
}

/** Partitions shown one by one, at most; of more only those that are not done. */
const mostListed = 40;

function linesOf(status: IndexStatus, { colors }: Terminal): string[] {
  const { rows, deleted, failed, width, generation, partitions, columnSets, imagesPerSecond } = status;
  const count = (state: string): number => partitions.filter((of) => of.state === state).length;
  const head = [
    `${rows} rows of ${width} numbers, ${deleted} deleted, ${failed} images failed, generation ${generation}`,
    `${count("done")} partitions done, ${count("running")} running, ${count("missing")} missing` +
      (imagesPerSecond === null ? "" : `; ${imagesPerSecond.toPrecision(3)} images/s`),
    ...columnSets.map(({ name, columns, description, rows: scored }) =>
      printable(`column${columns.length > 1 ? `s ${name}, …` : ` ${name}`}: ${description}, ${scored} rows`),
    ),
  ];
  const isLong = partitions.length > mostListed;
  const listed = partitions.filter(({ state }) => !isLong || state !== "done").slice(0, mostListed);
  if (listed.length === 0) return head;
  const columns: Column[] = ["partition", "state", "images", "rows", "failed", "seconds"].map((title, i) =>
    i === 1 ? { title } : { title, align: "right" },
  );
  const cell = (value: number | null): string => (value === null ? "–" : `${value}`);
  const table = layOutTable(
    columns,
    listed.map((of) => [
      `${of.number}`,
      of.state,
      cell(of.images),
      cell(of.rows),
      cell(of.failed),
      of.seconds === null ? "–" : of.seconds.toFixed(1),
    ]),
  );
  return [...head, colors.bold(table.head), ...table.rows];
}
