/** `clipscope index remove`: deletes rows. */
import type { Command } from "commander";
import { InputError } from "../../../lib/errors/input-error.ts";
import { deleteRows } from "../../../lib/node/retrieval/delete-rows.ts";
import { rowsWhere } from "../../../lib/node/retrieval/rows-where.ts";
import { readIndexFile } from "../../../lib/node/retrieval/read-index-file.ts";
import type { GlobalOptions } from "../../options/global-options.ts";
import { collect, examples } from "../../options/option-values.ts";
import { readLines } from "../../options/read-lines.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly id?: string[];
  readonly ids?: string;
  readonly where?: string;
}

export function register(index: Command, terminal: Terminal): void {
  index
    .command("remove")
    .description(
      "Delete rows of an index: no query finds them, and the ids of others stay. Their files are rewritten by " +
        '"clipscope index compact". They do not come back with "clipscope index add".',
    )
    .argument("<dir>", "index folder")
    .option(
      "--where <condition>",
      "delete the rows whose metadata match, such as \"width < 64 OR NSFW = 'NSFW'\"",
    )
    .option("--id <id>", "delete this row; may be repeated", collect)
    .option("--ids <file>", "delete the rows whose ids a file lists, one a line (- for standard input)")
    .addHelpText(
      "after",
      examples(
        'clipscope index remove photos-index --where "width < 64 OR caption IS NULL"',
        "clipscope index remove photos-index --id 17",
        "clipscope index remove photos-index --ids ids.txt",
      ),
    )
    .action(async (folder: string, _options: unknown, self: Command) => {
      await remove(folder, self.optsWithGlobals(), terminal);
    });
}

async function remove(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { id = [], ids, where, json = false } = options;
  await readIndexFile(folder);
  const lines = ids === undefined ? [] : await readLines(ids, terminal.stdin);
  const given = [...id, ...lines.map((line) => line.trim()).filter((line) => line !== "")];
  if (given.length > 0 === (where !== undefined))
    throw new InputError("expected rows to delete: --where, or --id and --ids");
  const numbers = given.map((text) => {
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new InputError(`expected the id of a row, a whole number, found ${JSON.stringify(text)}`);
  });
  const removed = await deleteRows(folder, async (index) =>
    where === undefined ? numbers : rowsWhere(index, where),
  );
  if (json) terminal.printJson({ index: folder, removed });
  else terminal.print(`${printable(folder)}: ${removed} rows removed`);
}
