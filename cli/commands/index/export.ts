/** `clipscope index export`: writes an index for another engine. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { InputError } from "../../../lib/errors/input-error.ts";
import { exportRows } from "../../../lib/node/retrieval/engine.ts";
import { createLanceTable } from "../../../lib/node/retrieval/lancedb.ts";
import { openIndex } from "../../../lib/node/retrieval/open-index.ts";
import type { GlobalOptions } from "../../options/global-options.ts";
import { examples } from "../../options/option-values.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly to: string;
  readonly table: string;
}

export function register(index: Command, terminal: Terminal): void {
  index
    .command("export")
    .description(
      "Write an index for another engine: lancedb:URI writes a LanceDB table; faiss prints the recipe, because faiss and " +
        "autofaiss read the files of an index as they are.",
    )
    .argument("<dir>", "index folder, or a folder of clip-retrieval")
    .requiredOption("--to <engine>", "lancedb:URI (a folder, or s3://…), or faiss")
    .option("--table <name>", "the table of LanceDB", "images")
    .addHelpText(
      "after",
      examples(
        "clipscope index export index --to lancedb:index.lance",
        "clipscope index export index --to faiss",
      ),
    )
    .action(async (folder: string, _options: unknown, self: Command) => {
      await exportIndex(folder, self.optsWithGlobals(), terminal);
    });
}

async function exportIndex(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { to, table: name, json = false } = options;
  const uri = /^lancedb:(.+)$/s.exec(to)?.[1];
  if (to !== "faiss" && uri === undefined) {
    throw new InputError(`--to ${to}: expected lancedb:URI or faiss`);
  }
  const index = await openIndex(folder);
  try {
    if (uri === undefined) {
      const recipe = faissRecipe(folder);
      if (json) terminal.printJson({ recipe, deleted: index.deleted.count });
      else terminal.printLines(recipe);
      if (index.deleted.count > 0)
        terminal.warn(
          `${folder}: faiss reads its ${index.deleted.count} deleted rows too; run "clipscope index compact" first`,
        );
      return;
    }
    const table = await createLanceTable(uri, name, index);
    try {
      const rows = await terminal.progress((show) =>
        exportRows(index, table, (done, total) => {
          show({ done, total, unit: "rows" });
        }),
      );
      if (json) terminal.printJson({ to, table: name, rows });
      else terminal.print(`${printable(uri)}: table ${printable(name)}, ${rows} rows`);
    } finally {
      await table.close();
    }
  } finally {
    await index.close();
  }
}

/** Source: github.com/criteo/autofaiss, README */
function faissRecipe(folder: string): string[] {
  const place = resolve(folder);
  return [
    "pip install autofaiss",
    `autofaiss build_index --embeddings "${place}/img_emb" --index_path image.index \\`,
    "  --index_infos_path image.json --metric_type ip --max_index_memory_usage 4G",
  ];
}
