/** `clipscope pull`: a published model into the cache of the Hugging Face Hub. Needs no backend. */
import type { Command } from "commander";
import { pretrained } from "../../lib/clip/config/architectures/pretrained.ts";
import { parseHubName, type HubName } from "../../lib/node/hub/cache.ts";
import { pullModel, type PullReport } from "../../lib/node/hub/pull.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { examples, type GlobalOptions } from "../options/options.ts";
import { megabytes } from "../terminal/progress.ts";
import { fit, widest } from "../terminal/table.ts";
import type { Progress, Terminal } from "../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly revision?: string;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("pull")
    .description(
      "Downloads a published model into the cache that Python's huggingface_hub uses\n" +
        "too: config, tokenizer and one file of weights, checked against the hub's\n" +
        "digests. A download that was cut off goes on where it stopped. Then\n" +
        "--model hf:REPOSITORY finds it, in every command.",
    )
    .argument("[model]", "a repository on the Hugging Face Hub, or open_clip's name of an architecture")
    .argument("[tag]", "open_clip's tag of the weights, behind an architecture")
    .option("--revision <name>", "branch, tag or commit (default: main)")
    .addHelpText("after", () =>
      [
        "",
        "Published models, and open_clip's names for them:",
        ...pretrained.flatMap((row) => [`  ${row.repository}`, `      ${row.architecture} ${row.tag}`]),
        examples(
          "clipscope pull laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k",
          "clipscope pull ViT-B-32 laion2b_s34b_b79k",
        ),
      ].join("\n"),
    )
    .action(
      async (model: string | undefined, tag: string | undefined, _options: unknown, command: Command) => {
        const options: Options = command.optsWithGlobals();
        if (model !== undefined) await pull(model, tag, options, terminal);
        else if (options.json === true) terminal.printJson(pretrained);
        else command.help();
      },
    );
}

async function pull(
  model: string,
  tag: string | undefined,
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { repository, revision } = chooseRepository(model, tag, options.revision);
  const { arch, json = false } = options;
  let progress: Progress | undefined;
  try {
    const report = await interruptible((signal) =>
      pullModel(repository, {
        revision,
        signal,
        ...(arch === undefined ? {} : { arch }),
        onProgress: (done, before, total) => {
          progress ??= terminal.progress(megabytes(total), "MB");
          progress.update(megabytes(done), megabytes(before));
        },
        onWait: (reason) => {
          terminal.note(reason);
        },
      }),
    );
    progress?.stop();
    if (json) terminal.printJson(report);
    else for (const line of describe(report)) terminal.print(line);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    terminal.writeError(
      "clipscope: stopped; what is downloaded is kept: the same command goes on from there\n",
    );
    process.kill(process.pid, error.signal);
  } finally {
    progress?.stop();
  }
}

/** @throws InputError if the name is none of open_clip's and no repository's, or does not say which */
function chooseRepository(model: string, tag: string | undefined, revision: string | undefined): HubName {
  const rows = pretrained.filter(({ architecture }) => architecture === model);
  if (rows.length === 0 && tag === undefined && model.includes("/")) {
    if (revision === undefined || !model.includes("@")) {
      const name = parseHubName(model);
      return { ...name, revision: revision ?? name.revision };
    }
    throw new InputError(`${model} --revision ${revision}: name the revision once`);
  }
  const [row, ...others] = rows.filter((one) => tag === undefined || one.tag === tag);
  if (row !== undefined && others.length === 0) {
    return { repository: row.repository, revision: revision ?? "main" };
  }
  const choice = rows.length === 0 ? pretrained : rows;
  throw new InputError(
    rows.length > 0 && tag === undefined
      ? `${model}: which of its tags?`
      : `${[model, tag].join(" ").trim()}: expected an architecture and a tag of this table, or a repository alone (OWNER/NAME)`,
    choice.map((one) => `${one.architecture} ${one.tag}`),
  );
}

class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}

/** Runs work that a signal stops in an orderly way. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    controller.abort(new Interrupted(signal));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    // Whatever the interruption made fail on the way.
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
  files,
  folder,
  model,
}: PullReport): string[] {
  const names = files.map((file) =>
    file.repository === repository ? file.path : `${file.path} of ${file.repository}`,
  );
  return [
    `repository    ${repository} (${revision}, commit ${commit.slice(0, 12)})`,
    `architecture  ${architecture ?? "as its config says"}`,
    ...files.map(({ downloaded, size }, i) => {
      const how = downloaded === 0 ? "there already" : `${inUnits(downloaded)} downloaded, checked`;
      return `  ${fit(names[i]!, widest(names))}  ${inUnits(size).padStart(8)}  ${how}`;
    }),
    `folder        ${folder}`,
    `to use it     --model ${model}`,
  ];
}

function inUnits(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
