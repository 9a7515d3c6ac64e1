/** `clipscope index cluster`: groups of similar rows. */
import { Option, type Command } from "commander";
import { InputError } from "../../../lib/errors/input-error.ts";
import type { ClusterReport } from "../../../lib/node/retrieval/clusters/cluster-index.ts";
import {
  representativeColumns,
  representativeRows,
} from "../../../lib/node/retrieval/clusters/representative-rows.ts";
import { openIndex, type OpenedIndex } from "../../../lib/node/retrieval/open-index.ts";
import { assertResultPath, resultEndings, writeResults } from "../../../lib/node/retrieval/write-results.ts";
import { zeroShotPrompts } from "../../../lib/tasks/zero-shot.ts";
import { addLabelOptions, readLabels, type LabelOptions } from "../../options/class-labels.ts";
import { withLazyModel } from "../../options/index-options.ts";
import { collect, examples, positiveInteger, wholeNumber } from "../../options/option-values.ts";
import { templateOption } from "../../options/output-options.ts";
import { weightsOption, type ModelOptions } from "../../options/with-model.ts";
import { printable } from "../../terminal/format.ts";
import { layOutTable } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends ModelOptions, LabelOptions {
  readonly clusters: number;
  readonly rounds?: number;
  readonly seed?: number;
  readonly representatives?: number;
  readonly template?: string[];
  readonly in: "images" | "captions";
  readonly where?: string;
  readonly as?: string;
  readonly out: readonly string[];
}

export function register(index: Command, terminal: Terminal): void {
  const command = index
    .command("cluster")
    .description(
      "Divide the rows into clusters by spherical k-means: each row belongs to the centroid that it is most similar to.",
    )
    .argument("<dir>", "index folder, or a folder of clip-retrieval")
    .requiredOption("--clusters <k>", "the number of clusters", positiveInteger)
    .option("--rounds <n>", "rounds at most (default: 20)", positiveInteger)
    .option("--seed <n>", "of the random numbers that choose the first centroids (default: 0)", wholeNumber)
    .option("--representatives <n>", "rows that are listed of each cluster (default: 6)", positiveInteger);
  addLabelOptions(command)
    .addOption(templateOption())
    .addOption(
      new Option("--in <what>", "what is clustered").choices(["images", "captions"]).default("images"),
    )
    .option("--where <condition>", "only rows whose metadata fulfil a condition")
    .option("--as <name>", "write columns: NAME (the cluster), NAME.similarity, and NAME.label with --labels")
    .option(
      "--out <file>",
      `write the representatives to a file (${resultEndings.join(" ")}; repeatable)`,
      collect,
      [],
    )
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope index cluster photos-index --clusters 100 --as cluster --out clusters.png",
        'clipscope index cluster photos-index --clusters 20 --labels "people,animals,food,buildings"',
        'clipscope query photos-index "a dog" --where "cluster = 7"',
      ),
    )
    .action(async (folder: string, _options: unknown, self: Command) => {
      await cluster(folder, self.optsWithGlobals(), terminal);
    });
}

async function cluster(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { clusters, rounds, seed, representatives, where, as, out, json = false } = options;
  for (const path of out) assertResultPath(path);
  const labels = await labelsOf(options, terminal);
  await withLazyModel(options, terminal, async (model) => {
    const index = await openIndex(folder);
    try {
      const report = await terminal.progress((show) =>
        index.cluster(clusters, {
          side: options.in === "captions" ? "text" : "image",
          ...labels,
          model,
          ...(rounds !== undefined && { rounds }),
          ...(seed !== undefined && { seed }),
          ...(representatives !== undefined && { representatives }),
          ...(where !== undefined && { where }),
          ...(as !== undefined && { as }),
          onProgress: (done, total) => {
            show({ done, total, unit: "rows" });
          },
        }),
      );
      const of = { folder, base: index.base, columns: representativeColumns(index.columns) };
      if (out.length > 0) await writeResults(representativeRows(index, report), out, of, [], () => undefined);
      if (json) terminal.printJson(await asJson(folder, index, report));
      else terminal.printLines(await linesOf(folder, index, report, options, terminal));
    } finally {
      await index.close();
    }
  });
}

async function labelsOf(
  options: Options,
  terminal: Terminal,
): Promise<{ readonly labels?: string[]; readonly templates?: string[] }> {
  const { labels, labelsFile, template } = options;
  if (labels === undefined && labelsFile === undefined) {
    if (template !== undefined) throw new InputError("--template requires --labels");
    return {};
  }
  const names = await readLabels(options, terminal.stdin);
  zeroShotPrompts(names, template ?? ["{}"]); // refuses bad labels before the model is loaded
  return { labels: names, ...(template !== undefined && { templates: template }) };
}

async function asJson(
  folder: string,
  index: OpenedIndex,
  { rows, rounds, similarity, clusters: all }: ClusterReport,
): Promise<unknown> {
  const paths = new Map<number, string | null>();
  for await (const { id, path } of representativeRows(index, { clusters: all })) paths.set(id, path);
  const clusters = all.map(({ representatives, ...of }) => ({
    ...of,
    representatives: representatives.map(({ id, score }) => ({ id, path: paths.get(id), similarity: score })),
  }));
  return { index: folder, rows, rounds, similarity, clusters };
}

/** Clusters that are printed, at most; --json and --out have all. */
const mostListed = 50;

async function linesOf(
  folder: string,
  index: OpenedIndex,
  report: ClusterReport,
  { as }: Options,
  { colors, width }: Terminal,
): Promise<string[]> {
  const { rows, rounds, similarity, clusters } = report;
  const listed = clusters.slice(0, mostListed);
  const nearest = new Map<number, string>();
  for await (const { id, path, metadata } of representativeRows(index, { clusters: listed })) {
    const number = Number(metadata["cluster"]);
    if (!nearest.has(number)) nearest.set(number, path === null ? `row ${id}` : printable(path));
  }
  const hasLabels = clusters.some(({ label }) => label !== null);
  const table = layOutTable(
    [
      { title: "cluster", align: "right" },
      { title: "rows", align: "right" },
      { title: "similarity", align: "right" },
      ...(hasLabels ? [{ title: "label" }] : []),
      { title: "nearest row", cut: "start" },
    ],
    listed.map((of) => [
      ...[`${of.number}`, `${of.rows}`, of.similarity.toFixed(4)],
      ...(hasLabels ? [printable(of.label ?? "")] : []),
      nearest.get(of.number) ?? "",
    ]),
    { width },
  );
  const left = clusters.length - listed.length;
  return [
    `${printable(folder)}: ${rows} rows, ${clusters.length} clusters, mean similarity ${similarity.toFixed(4)} after ${rounds} rounds`,
    colors.bold(table.head),
    ...table.rows,
    ...(left > 0 ? [`and ${left} more`] : []),
    ...(as === undefined
      ? []
      : [
          `columns ${as}${hasLabels ? "," : " and"} ${as}.similarity${hasLabels ? ` and ${as}.label` : ""} written`,
        ]),
  ];
}
