/** `clipscope index compact`: a new generation without deleted rows. */
import { join } from "node:path";
import type { Command } from "commander";
import { lockOrRefuse } from "../../../lib/node/files/reserve-output.ts";
import { compactIndex } from "../../../lib/node/retrieval/compact-index.ts";
import { readIndexFile } from "../../../lib/node/retrieval/read-index-file.ts";
import type { GlobalOptions } from "../../options/global-options.ts";
import { examples, positiveInteger } from "../../options/option-values.ts";
import { defaultPartitionRows } from "../../options/index-options.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly partitionRows: number;
}

export function register(index: Command, terminal: Terminal): void {
  index
    .command("compact")
    .description(
      "Write an index again without its deleted rows, and join small partitions. This is a new generation: rows get " +
        "other ids. Whenever the command is killed, the index is the old one or the new one.",
    )
    .argument("<dir>", "index folder")
    .option(
      "--partition-rows <n>",
      "rows up to which partitions are joined",
      positiveInteger,
      defaultPartitionRows,
    )
    .addHelpText("after", examples("clipscope index compact photos-index"))
    .action(async (folder: string, _options: unknown, self: Command) => {
      const { partitionRows, json = false } = self.optsWithGlobals<Options>();
      await readIndexFile(folder);
      const release = await lockOrRefuse(join(folder, "build"), folder);
      try {
        const report = await compactIndex(folder, partitionRows);
        if (json) terminal.printJson({ index: folder, ...report });
        else {
          const { generation, rows, dropped, partitions, partitionsBefore } = report;
          terminal.print(
            `${printable(folder)}: generation ${generation}, ${rows} rows in ${partitions} partitions (${dropped} rows dropped, ${partitionsBefore} partitions before)`,
          );
        }
      } finally {
        await release();
      }
    });
}
