/** `clipscope index dedup`: near-duplicates of a whole collection. */
import { Option, type Command } from "commander";
import type { DedupOptions, DedupReport } from "../../../lib/node/retrieval/duplicates/dedup-index.ts";
import { openIndex, type OpenedIndex } from "../../../lib/node/retrieval/open-index.ts";
import { assertResultPath, resultEndings, writeResults } from "../../../lib/node/retrieval/write-results.ts";
import { duplicateColumns, duplicateRows } from "../../../lib/node/retrieval/duplicates/duplicate-rows.ts";
import type { GlobalOptions } from "../../options/global-options.ts";
import { collect, examples } from "../../options/option-values.ts";
import { finiteNumber } from "../../options/query-terms.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly threshold?: number;
  readonly in: "images" | "captions";
  readonly where?: string;
  readonly best?: string;
  readonly as?: string;
  readonly out: readonly string[];
  readonly remove?: boolean;
}

export function register(index: Command, terminal: Terminal): void {
  index
    .command("dedup")
    .description(
      "Find all pairs of rows that are at least so similar; rows that are connected by such pairs are a group. Nothing " +
        "is deleted without --remove.",
    )
    .argument("<dir>", "index folder, or a folder of clip-retrieval")
    .option(
      "--threshold <similarity>",
      "from which on two rows are near-duplicates (default: 0.94)",
      finiteNumber,
    )
    .addOption(
      new Option("--in <what>", "what is compared").choices(["images", "captions"]).default("images"),
    )
    .option("--where <condition>", "only rows whose metadata fulfil a condition")
    .option(
      "--best <column>",
      "keep the row with the greatest number in this column, such as bytes or width (default: the first)",
    )
    .option("--as <name>", "write columns: NAME (the group), NAME.keep, NAME.similarity")
    .option(
      "--out <file>",
      `write the groups to a file (${resultEndings.join(" ")}; repeatable); .txt lists the rows besides the best`,
      collect,
      [],
    )
    .option("--remove", "delete all rows of each group but the best")
    .addHelpText(
      "after",
      examples(
        "clipscope index dedup photos-index --out duplicates.csv --out duplicates.png",
        "clipscope index dedup photos-index --threshold 0.97 --best bytes --remove",
        'clipscope index dedup photos-index --as same && clipscope query photos-index "a cat" --where "same.keep"',
      ),
    )
    .action(async (folder: string, _options: unknown, self: Command) => {
      await dedup(folder, self.optsWithGlobals(), terminal);
    });
}

async function dedup(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { out, json = false } = options;
  for (const path of out) assertResultPath(path);
  const index = await openIndex(folder);
  try {
    const report = await terminal.progress((show) =>
      index.dedup({
        ...dedupOptions(options),
        onProgress: (done, total) => {
          show({ done, total, unit: "rows" });
        },
        onFound: (found) => writeFiles(index, found, out),
      }),
    );
    if (json) terminal.printJson({ index: folder, ...report, groups: await groupsAsJson(index, report) });
    else {
      if (out.length === 0) await printGroups(index, report, terminal);
      terminal.printLines(summaryOf(folder, report, options));
    }
  } finally {
    await index.close();
  }
}

function dedupOptions({ in: what, threshold, where, best, as, remove = false }: Options): DedupOptions {
  return {
    side: what === "captions" ? "text" : "image",
    remove,
    ...(threshold !== undefined && { threshold }),
    ...(where !== undefined && { where }),
    ...(best !== undefined && { best }),
    ...(as !== undefined && { as }),
  };
}

async function writeFiles(
  index: OpenedIndex,
  found: Pick<DedupReport, "groups">,
  out: readonly string[],
): Promise<void> {
  const of = { folder: index.path, base: index.base, columns: duplicateColumns(index.columns) };
  const isList = (path: string): boolean => path.toLowerCase().endsWith(".txt");
  for (const lists of [true, false]) {
    const paths = out.filter((path) => isList(path) === lists);
    if (paths.length === 0) continue;
    await writeResults(duplicateRows(index, found, lists), paths, of, [], () => undefined);
  }
}

interface JsonRow {
  readonly id: number;
  readonly path: string | null;
  readonly similarity: number;
  readonly keep: boolean;
}

/** The rows of each group, the best one first. */
async function groupsAsJson(index: OpenedIndex, report: DedupReport): Promise<JsonRow[][]> {
  const groups: JsonRow[][] = [];
  for await (const { id, path, similarity, metadata } of duplicateRows(index, report, false)) {
    const keep = metadata["keep"] === true;
    if (keep) groups.push([]);
    groups.at(-1)!.push({ id, path, similarity, keep });
  }
  return groups;
}

async function printGroups(index: OpenedIndex, report: DedupReport, terminal: Terminal): Promise<void> {
  for await (const { id, path, similarity, metadata } of duplicateRows(index, report, false)) {
    const name = path === null ? `row ${id}` : printable(path);
    terminal.print(metadata["keep"] === true ? name : `  ${similarity.toFixed(4)}  ${name}`);
  }
}

/** Bounds of the counts of similarities: what a good threshold is depends on the model and the collection. */
const bounds = [0.999, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9];

function summaryOf(folder: string, report: DedupReport, { as, remove = false }: Options): string[] {
  const { compared, groups, duplicates, removed, threshold, hasWritten } = report;
  const similarities = groups.flatMap(({ others }) => others.map(({ similarity }) => similarity));
  const counts: string[] = [];
  let above = Infinity;
  for (const bound of [...bounds.filter((value) => value > threshold), threshold, -Infinity]) {
    const count = similarities.filter((value) => value >= bound && value < above).length;
    if (count > 0) counts.push(bound === -Infinity ? `${count} less, over others` : `${count} from ${bound}`);
    above = bound;
  }
  const head = `${printable(folder)}: ${compared} rows compared, ${groups.length} groups, ${duplicates} rows besides the best of each`;
  return [
    counts.length === 0 ? head : `${head}; similarity to it: ${counts.join(", ")}`,
    ...(as === undefined
      ? []
      : [`columns ${as}, ${as}.keep and ${as}.similarity ${hasWritten ? "written" : "kept as they were"}`]),
    ...(remove ? [`${removed} rows removed`] : []),
    ...(!remove && duplicates > 0 ? ["nothing was removed; --remove does it"] : []),
  ];
}
