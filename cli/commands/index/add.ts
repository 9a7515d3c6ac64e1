/** `clipscope index add`: new and changed images, or embeddings that others made. */
import { join } from "node:path";
import type { Command } from "commander";
import { InputError } from "../../../lib/errors/input-error.ts";
import { lockOrRefuse } from "../../../lib/node/files/reserve-output.ts";
import { addToIndex } from "../../../lib/node/retrieval/add-to-index.ts";
import { adoptEmbeddings } from "../../../lib/node/retrieval/adopt-embeddings.ts";
import { pruneRows } from "../../../lib/node/retrieval/prune-rows.ts";
import { makeFolder } from "../../../lib/node/files/make-folder.ts";
import { readIndexFile } from "../../../lib/node/retrieval/read-index-file.ts";
import {
  addSourceOptions,
  planOptions,
  withLazyModel,
  type SourceOptions,
} from "../../options/index-options.ts";
import { examples } from "../../options/option-values.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { summaryOf } from "./build.ts";

interface Options extends SourceOptions {
  readonly embeddings?: string;
  readonly copy?: boolean;
  readonly prune?: boolean;
}

export function register(index: Command, terminal: Terminal): void {
  const command = index
    .command("add")
    .description(
      "Embed the images of sources that an index does not have: new files, and those whose size or time changed, " +
        "whose old rows are deleted. Or adopt embeddings in clip-retrieval's layout, such as LAION's of ViT-H/14.",
    )
    .argument("<dir>", "index folder")
    .argument("[source...]", "images, folders, shards and lists")
    .option("--prune", "delete the rows of files below the sources that have vanished")
    .option("--embeddings <dir>", "adopt the embeddings of a folder in clip-retrieval's layout")
    .option("--copy", "with --embeddings: copy the files instead of linking them");
  addSourceOptions(command, false)
    .addHelpText(
      "after",
      examples(
        "clipscope index add photos-index photos/ --prune",
        "clipscope index add index --embeddings laion2b-en-vit-h-14/ --model hf:laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k",
      ),
    )
    .action(async (folder: string, sources: string[], _options: unknown, self: Command) => {
      await add(folder, sources, self.optsWithGlobals(), terminal);
    });
}

async function add(
  folder: string,
  sources: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { embeddings, copy = false, prune = false } = options;
  if (sources.length > 0 === (embeddings !== undefined))
    throw new InputError("expected sources, or --embeddings, but not both");
  if (prune && embeddings !== undefined) throw new InputError("--prune requires sources");
  if (copy && embeddings === undefined) throw new InputError("--copy requires --embeddings");
  if (embeddings === undefined) await readIndexFile(folder);
  else await makeFolder(folder);
  const release = await lockOrRefuse(join(folder, "build"), folder);
  try {
    if (embeddings === undefined) await addSources(folder, sources, options, terminal);
    else await adopt(folder, embeddings, options, terminal);
  } finally {
    await release();
  }
}

async function addSources(
  folder: string,
  sources: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const pruned = options.prune === true ? await pruneRows(folder, sources) : 0;
  const report = await withLazyModel(options, terminal, (load) =>
    terminal.progress((show) =>
      addToIndex(folder, sources, {
        plan: planOptions(options, terminal),
        loadModel: load,
        onFailed: (message) => {
          terminal.warn(message);
        },
        onProgress: (done, total) => {
          show({ done, total, unit: "images" });
        },
      }),
    ),
  );
  if (options.json === true) terminal.printJson({ index: folder, ...report, pruned });
  else {
    const more = [
      ...(report.replaced > 0 ? [`${report.replaced} replaced`] : []),
      ...(pruned > 0 ? [`${pruned} pruned`] : []),
    ];
    terminal.print([`${printable(folder)}: ${summaryOf(report)}`, ...more].join(", "));
  }
}

async function adopt(folder: string, from: string, options: Options, terminal: Terminal): Promise<void> {
  const report = await withLazyModel(options, terminal, async (load) =>
    adoptEmbeddings(folder, from, await load(), { copy: options.copy ?? false }),
  );
  if (options.json === true) {
    terminal.printJson({ index: folder, ...report });
    return;
  }
  if (report.isDeclared) {
    terminal.warn(
      `${printable(from)}: does not record the model that made it; it is taken to be the one in use. Check with "clipscope index verify ${folder} --images DIR"`,
    );
  }
  terminal.print(`${printable(folder)}: ${report.partitions} partitions adopted, ${report.rows} rows`);
}
