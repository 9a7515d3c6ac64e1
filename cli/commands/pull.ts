/** `clipscope pull`: downloads a published model into the cache of the Hugging Face Hub. Starts no backend. */
import type { Command } from "commander";
import { pretrained } from "../../lib/clip/config/architectures/pretrained.ts";
import { comparators } from "../../lib/node/hub/comparators.ts";
import { parseHubName, type HubName } from "../../lib/node/hub/cache.ts";
import { datasetUrl, parseDatasetUrl } from "../../lib/node/hub/dataset-url.ts";
import { pullDataset, type PulledDataset } from "../../lib/node/hub/pull-dataset.ts";
import { pullModel, type PullOptions, type PullReport } from "../../lib/node/hub/pull.ts";
import type { PulledFile } from "../../lib/node/hub/repository.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { collect, examples } from "../options/option-values.ts";
import { byteSize } from "../terminal/format.ts";
import { megabytes } from "../terminal/progress-line.ts";
import { layOutFields, layOutTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly revision?: string;
  readonly dataset?: string;
  readonly split?: string[];
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("pull")
    .description(
      "Download a published model: its config, tokenizer and weights, verified by the hub's digests. The model is stored " +
        "in the cache of Python's huggingface_hub; other commands open it with --model hf:REPOSITORY.\n" +
        "An interrupted download resumes when started again. With --dataset, a WebDataset is downloaded instead.",
    )
    .argument("[model]", "repository on the Hugging Face Hub, or open_clip architecture name")
    .argument("[tag]", "open_clip tag of the weights, after an architecture")
    .option("--revision <name>", "branch, tag or commit (default: main)")
    .option("--dataset <name>", "download a WebDataset of the hub for eval, by its repository or address")
    .option(
      "--split <name>",
      "with --dataset, the part to download; may be repeated (default: test)",
      collect,
    )
    .addHelpText("after", () =>
      [
        "",
        "Published models and their open_clip names:",
        ...pretrained.flatMap((row) => [`  ${row.repository}`, `      ${row.architecture} ${row.tag}`]),
        "",
        "Models of other projects:",
        ...comparators.flatMap((row) => [`  ${row.repository}`, `      ${row.about}`]),
        examples(
          "clipscope pull laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k",
          "clipscope pull ViT-B-32 laion2b_s34b_b79k",
          "clipscope pull --dataset clip-benchmark/wds_imagenet1k",
        ),
      ].join("\n"),
    )
    .action(async (model: string | undefined, tag: string | undefined, _options: unknown, self: Command) => {
      const options: Options = self.optsWithGlobals();
      if (options.dataset !== undefined) await pullOneDataset(options.dataset, model, options, terminal);
      else if (options.split !== undefined) throw new InputError("--split requires --dataset");
      else if (model !== undefined) await pull(model, tag, options, terminal);
      else if (options.json === true) terminal.printJson(pretrained);
      else self.help();
    });
}

async function pull(
  model: string,
  tag: string | undefined,
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { repository, revision } = chooseRepository(model, tag, options.revision);
  const { arch, json = false } = options;
  const report = await download(terminal, (common) =>
    pullModel(repository, { revision, ...common, ...(arch === undefined ? {} : { arch }) }),
  );
  if (report === null) return;
  if (json) terminal.printJson(report);
  else terminal.printLines(describe(report));
}

async function pullOneDataset(
  given: string,
  model: string | undefined,
  { revision, split, json = false }: Options,
  terminal: Terminal,
): Promise<void> {
  if (model !== undefined) throw new InputError(`${model} --dataset ${given}: give one of the two`);
  const name = /^https?:/.test(given) ? parseDatasetUrl(given) : parseHubName(given);
  if (revision !== undefined && name.revision !== "main") {
    throw new InputError(`${given} --revision ${revision}: give the revision only once`);
  }
  const report = await download(terminal, (common) =>
    pullDataset(name.repository, {
      revision: revision ?? name.revision,
      ...common,
      ...(split === undefined ? {} : { splits: split }),
    }),
  );
  if (report === null) return;
  if (json) terminal.printJson(report);
  else terminal.printLines(describeDataset(report));
}

type Common = Required<Pick<PullOptions, "signal" | "onProgress" | "onWait">>;

/** Downloads with a progress line. Null if it was interrupted: this process then ends by the same signal. */
async function download<T>(terminal: Terminal, start: (common: Common) => Promise<T>): Promise<T | null> {
  try {
    return await terminal.progress((show) =>
      interruptible((signal) =>
        start({
          signal,
          onProgress: (done, before, total) => {
            show(megabytes(done, total, before));
          },
          onWait: (reason) => {
            terminal.note(reason);
          },
        }),
      ),
    );
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    terminal.warn("interrupted; run the same command to resume the download");
    process.kill(process.pid, error.signal);
    return null;
  }
}

/** @throws InputError if the name is neither open_clip's nor a repository's, or is ambiguous */
function chooseRepository(model: string, tag: string | undefined, revision: string | undefined): HubName {
  const rows = pretrained.filter(({ architecture }) => architecture === model);
  if (rows.length === 0 && tag === undefined && model.includes("/")) {
    if (revision === undefined || !model.includes("@")) {
      const name = parseHubName(model);
      return { ...name, revision: revision ?? name.revision };
    }
    throw new InputError(`${model} --revision ${revision}: give the revision only once`);
  }
  const [row, ...others] = rows.filter((one) => tag === undefined || one.tag === tag);
  if (row !== undefined && others.length === 0) {
    return { repository: row.repository, revision: revision ?? "main" };
  }
  const choice = rows.length === 0 ? pretrained : rows;
  throw new InputError(
    rows.length > 0 && tag === undefined
      ? `${model}: expected one of its tags`
      : `${[model, tag].join(" ").trim()}: expected an architecture and a tag from this list, or a repository (OWNER/NAME)`,
    choice.map((one) => `${one.architecture} ${one.tag}`),
  );
}

class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** Runs work that SIGINT and SIGTERM abort. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    controller.abort(new Interrupted(signal));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    // After an interruption, any error is a consequence of it.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

function describe({
  repository,
  revision,
  commit,
  architecture,
  layout,
  license,
  files,
  folder,
  model,
}: PullReport): string[] {
  return layOutFields([
    ["repository", `${repository} (${revision}, commit ${commit.slice(0, 12)})`],
    ["architecture", architecture ?? layout ?? "from its config"],
    ...(license === null
      ? []
      : [["license", `${license}, which applies to the weights`] as [string, string]]),
    ...fileRows(files, repository),
    ["folder", folder],
    ["use with", `--model ${model}`],
  ]);
}

/** Shards are added up: ImageNet's validation images have 64. */
function describeDataset({ repository, revision, commit, splits, files, folder }: PulledDataset): string[] {
  const shards = files.filter(({ path }) => path.endsWith(".tar"));
  const sum = (key: "size" | "downloaded"): number => shards.reduce((total, file) => total + file[key], 0);
  const state =
    sum("downloaded") === 0 ? "already there" : `${byteSize(sum("downloaded"))} downloaded, verified`;
  return layOutFields([
    ["dataset", `${repository} (${revision}, commit ${commit.slice(0, 12)})`],
    ...fileRows(
      files.filter((file) => !shards.includes(file)),
      `datasets/${repository}`,
    ),
    ["shards", `${shards.length} of ${splits.join(", ")}, ${byteSize(sum("size"))}, ${state}`],
    ["folder", folder],
    ["use with", `clipscope eval ${datasetUrl({ repository, revision })}`],
  ]);
}

function fileRows(files: readonly PulledFile[], repository: string): [string][] {
  const { rows } = layOutTable(
    [{}, { align: "right" }, {}],
    files.map((file) => [
      file.repository === repository ? file.path : `${file.path} of ${file.repository}`,
      byteSize(file.size),
      file.downloaded === 0 ? "already there" : `${byteSize(file.downloaded)} downloaded, verified`,
    ]),
  );
  return rows.map((row): [string] => [`  ${row}`]);
}
