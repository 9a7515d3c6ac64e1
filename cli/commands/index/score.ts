/** `clipscope index score`: columns that are computed from the vectors. */
import { Option, type Command } from "commander";
import { InputError } from "../../../lib/errors/input-error.ts";
import { startNodeBackend } from "../../../lib/node/backends/backends.ts";
import { openProbe } from "../../../lib/node/features/probes.ts";
import type { ScoredBy } from "../../../lib/node/retrieval/columns/score-index.ts";
import { dropColumnSet } from "../../../lib/node/retrieval/columns/write-column-set.ts";
import { openIndex } from "../../../lib/node/retrieval/open-index.ts";
import { zeroShotPrompts } from "../../../lib/tasks/zero-shot.ts";
import { addLabelOptions, readLabels, type LabelOptions } from "../../options/class-labels.ts";
import { withLazyModel } from "../../options/index-options.ts";
import { examples } from "../../options/option-values.ts";
import { templateOption } from "../../options/output-options.ts";
import { addQueryTerms, termsOf, type TermOptions } from "../../options/query-terms.ts";
import { weightsOption, type ModelOptions } from "../../options/with-model.ts";
import { printable } from "../../terminal/format.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends ModelOptions, LabelOptions, TermOptions {
  readonly as?: string;
  readonly template?: string[];
  readonly probe?: string;
  readonly captionMatch?: boolean;
  readonly onlyBest?: boolean;
  readonly in: "images" | "captions";
  readonly drop?: string;
}

export function register(index: Command, terminal: Terminal): void {
  const command = index
    .command("score")
    .description(
      "Write columns that are computed from the vectors, without the images: the similarity to texts, images and rows " +
        "as a query gives it, the probabilities of labels (zero-shot), or of the classes of a probe. Conditions and " +
        "results have them then. The same command again continues, or adds the rows that came since.",
    )
    .argument("<dir>", "index folder")
    .argument("[text...]", "texts: one column with the similarity to them")
    .option("--as <name>", "the name of the column; those of labels are NAME and NAME.LABEL");
  addQueryTerms(command);
  addLabelOptions(command)
    .addOption(templateOption())
    .option("--probe <file>", "the classes of a probe that was fitted on normalised embeddings")
    .option("--caption-match", "the similarity of each image and its caption")
    .option("--only-best", "of labels and classes: the best one and its probability, not a column each")
    .addOption(
      new Option("--in <what>", "the vectors that are scored")
        .choices(["images", "captions"])
        .default("images"),
    )
    .option("--drop <name>", "delete the columns of this name")
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        'clipscope index score photos-index "a photo of a cat" --as cat',
        'clipscope index score photos-index --as kind --labels "photo,drawing,screenshot"',
        "clipscope index score photos-index --as nsfw --probe nsfw.safetensors",
        'clipscope query photos-index "on the beach" --where "cat >= 0.25 AND kind = \'photo\'"',
      ),
    )
    .action(async (folder: string, texts: string[], _options: unknown, self: Command) => {
      await score(folder, texts, self.optsWithGlobals(), terminal);
    });
}

async function score(
  folder: string,
  texts: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { as: name, drop, onlyBest = false, json = false } = options;
  if (drop !== undefined) {
    if (name !== undefined) throw new InputError("--drop excludes --as");
    if (!(await dropColumnSet(folder, drop)))
      throw new InputError(
        `--drop ${drop}: ${folder} has no such columns; "clipscope index status" lists them`,
      );
    if (json) terminal.printJson({ index: folder, dropped: drop });
    else terminal.print(`${printable(folder)}: ${printable(drop)} dropped`);
    return;
  }
  if (name === undefined) throw new InputError("--as is missing: the name of the new column");
  const by = await scoredBy(texts, options, terminal);
  if (onlyBest && !("labels" in by || "probe" in by))
    throw new InputError("--only-best requires --labels or --probe");
  if ("probe" in by) await startNodeBackend(options.backend);
  await withLazyModel(options, terminal, async (model) => {
    const index = await openIndex(folder);
    try {
      const report = await terminal.progress((show) =>
        index.score(name, by, {
          model,
          onlyBest,
          side: options.in === "captions" ? "text" : "image",
          onProgress: (done, total) => {
            show({ done, total, unit: "rows" });
          },
        }),
      );
      if (json) terminal.printJson({ index: folder, ...report });
      else {
        const { columns, rows, kept } = report;
        const before = kept > 0 ? `, ${kept} partitions computed before` : "";
        terminal.print(
          `${printable(folder)}: ${columns.map((column) => printable(column)).join(", ")}: ${rows} rows${before}`,
        );
      }
    } finally {
      await index.close();
    }
  });
}

/** @throws InputError unless exactly one kind of score is given */
async function scoredBy(texts: readonly string[], options: Options, terminal: Terminal): Promise<ScoredBy> {
  const { labels, labelsFile, probe, captionMatch = false, template, image, id, minus } = options;
  const hasTerms = texts.length + image.length + id.length + minus.length > 0;
  const hasLabels = labels !== undefined || labelsFile !== undefined;
  const given = [hasTerms, hasLabels, probe !== undefined, captionMatch].filter(Boolean).length;
  if (given !== 1) {
    throw new InputError("expected one of: texts, images and ids; --labels; --probe; --caption-match");
  }
  if (template !== undefined && !hasLabels) throw new InputError("--template requires --labels");
  if (captionMatch) return { captions: true };
  if (probe !== undefined) return { probe: await openProbe(probe) };
  if (!hasLabels) return { terms: termsOf(texts, options, terminal) };
  const names = await readLabels(options, terminal.stdin);
  zeroShotPrompts(names, template ?? ["{}"]); // refuses bad labels before the model is loaded
  return { labels: names, ...(template !== undefined && { templates: template }) };
}
