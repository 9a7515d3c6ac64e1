/** The command line: parses arguments, runs a command, returns the exit status. */
import { Command, CommanderError, Help, InvalidArgumentError, Option } from "commander";
import { InputError } from "../lib/errors/input-error.ts";
import { addGlobalOptions } from "./options/global-options.ts";
import { collect } from "./options/option-values.ts";
import { packageInfo } from "./package-info.ts";
import type { ExitStatus, Terminal } from "./terminal/terminal.ts";

interface CommandModule {
  register(parent: Command, terminal: Terminal): void;
}

interface Entry {
  /** One word, or a group and a word. */
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

const groups = [
  {
    name: "probe",
    summary: "fit and use linear classifiers on features",
    description: "Linear classifiers on features that `clipscope embed` or another program wrote.",
  },
  {
    name: "index",
    summary: "embed a collection once, to search it again and again",
    description:
      "An index folder: the vectors and metadata of a collection, in clip-retrieval's layout, made by one machine or many.",
  },
];

/** A command's file is loaded only if its name is among the arguments: `--help` and `tokenize` need no tfjs. */
const entries: readonly Entry[] = [
  {
    name: "classify",
    summary: "classify images by labels, zero-shot",
    load: () => import("./commands/classify.ts"),
  },
  {
    name: "compare",
    summary: "ask several models the same question about images",
    load: () => import("./commands/compare.ts"),
  },
  {
    name: "embed",
    summary: "write embeddings of images or texts to a features file",
    load: () => import("./commands/embed.ts"),
  },
  {
    name: "adapt",
    summary: "adapt zero-shot classification to a few labelled features",
    load: () => import("./commands/adapt.ts"),
  },
  {
    name: "probe fit",
    summary: "fit a probe on labelled features",
    load: () => import("./commands/probe-fit.ts"),
  },
  {
    name: "probe eval",
    summary: "measure a probe on labelled features",
    load: () => import("./commands/probe-eval.ts"),
  },
  {
    name: "probe predict",
    summary: "classify images with a probe",
    load: () => import("./commands/probe-predict.ts"),
  },
  {
    name: "probe layers",
    summary: "fit and measure a probe for every block",
    load: () => import("./commands/probe-layers.ts"),
  },
  {
    name: "eval",
    summary: "evaluate the model on datasets as CLIP_benchmark does",
    load: () => import("./commands/eval.ts"),
  },
  {
    name: "eval report",
    summary: "write results as a CSV file and a page with charts",
    load: () => import("./commands/eval-report.ts"),
  },
  {
    name: "train",
    summary: "train a model on pairs of images and captions",
    load: () => import("./commands/train.ts"),
  },
  {
    name: "finetune",
    summary: "fine-tune a model on labelled images",
    load: () => import("./commands/finetune.ts"),
  },
  {
    name: "merge",
    summary: "interpolate two models, or fold adapters into one",
    load: () => import("./commands/merge.ts"),
  },
  {
    name: "search",
    summary: "rank images by similarity to a text or an image",
    load: () => import("./commands/search.ts"),
  },
  {
    name: "query",
    summary: "search an index by texts, images and metadata",
    load: () => import("./commands/query.ts"),
  },
  {
    name: "serve",
    summary: "answer searches of indices over HTTP",
    load: () => import("./commands/serve.ts"),
  },
  {
    name: "index plan",
    summary: "list the inputs of an index and divide them into partitions",
    load: () => import("./commands/index/plan.ts"),
  },
  {
    name: "index build",
    summary: "embed a collection, or continue to",
    load: () => import("./commands/index/build.ts"),
  },
  {
    name: "index add",
    summary: "add new and changed images, or embeddings that others made",
    load: () => import("./commands/index/add.ts"),
  },
  {
    name: "index remove",
    summary: "delete rows of an index",
    load: () => import("./commands/index/remove.ts"),
  },
  {
    name: "index status",
    summary: "show what an index holds and what is left to do",
    load: () => import("./commands/index/status.ts"),
  },
  {
    name: "index verify",
    summary: "check every file of an index, or its vectors against images",
    load: () => import("./commands/index/verify.ts"),
  },
  {
    name: "index score",
    summary: "write columns that are computed from the vectors",
    load: () => import("./commands/index/score.ts"),
  },
  {
    name: "index dedup",
    summary: "find near-duplicates in an index, and delete them if asked",
    load: () => import("./commands/index/dedup.ts"),
  },
  {
    name: "index cluster",
    summary: "divide the rows of an index into clusters",
    load: () => import("./commands/index/cluster.ts"),
  },
  {
    name: "index compact",
    summary: "write an index again without its deleted rows",
    load: () => import("./commands/index/compact.ts"),
  },
  {
    name: "index export",
    summary: "write an index for another search engine",
    load: () => import("./commands/index/export.ts"),
  },
  {
    name: "index slurm",
    summary: "write, or submit, the job array that builds an index",
    load: () => import("./commands/index/slurm.ts"),
  },
  {
    name: "tokenize",
    summary: "show the tokens of a text",
    load: () => import("./commands/tokenize.ts"),
  },
  {
    name: "inspect",
    summary: "show a model's modules: shapes, parameters, GFLOPs",
    load: () => import("./commands/inspect.ts"),
  },
  {
    name: "convert",
    summary: "convert a checkpoint to a model directory",
    load: () => import("./commands/convert.ts"),
  },
  { name: "diff", summary: "compare two models tensor by tensor", load: () => import("./commands/diff.ts") },
  {
    name: "pull",
    summary: "download a published model from the Hugging Face Hub",
    load: () => import("./commands/pull.ts"),
  },
  {
    name: "verify",
    summary: "compare every layer with OpenCLIP's activations",
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "trace",
    summary: "write, summarise or draw the values inside the network",
    load: () => import("./commands/trace.ts"),
  },
  {
    name: "explain",
    summary: "draw what in an image its similarity to a text depends on",
    load: () => import("./commands/explain.ts"),
  },
  {
    name: "condition",
    summary: "write the tensors that image generators take",
    load: () => import("./commands/condition.ts"),
  },
  {
    name: "guide",
    summary: "generate an image that fits texts",
    load: () => import("./commands/guide.ts"),
  },
  {
    name: "studio",
    summary: "serve a page that shows every value of the network",
    load: () => import("./commands/studio.ts"),
  },
  {
    name: "doctor",
    summary: "check which backends run, and how to get the others",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "native",
    summary: "build the TensorFlow backend, the fastest on a CPU",
    load: () => import("./commands/native.ts"),
  },
];

/** Runs the command given by `args` (without node and script). Never throws. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  try {
    const program = await createProgram(args, terminal);
    checkOptionValues(program);
    program.hook("preAction", (_program, command) => {
      refuseEmptyPaths(command);
    });
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    // Commander has already printed its message; requested help is not an error.
    if (!(error instanceof CommanderError)) terminal.report(error);
    else if (error.exitCode !== 0) return 2;
  }
  return terminal.status;
}

async function createProgram(args: readonly string[], terminal: Terminal): Promise<Command> {
  const program = createRoot(terminal);
  for (const { name, summary, load } of entries) {
    const words = name.split(" ");
    const parent = words.length === 1 ? program : findGroup(program, words[0]!);
    if (words.every((word) => args.includes(word))) (await load()).register(parent, terminal);
    else parent.command(words.at(-1)!);
    parent.commands.at(-1)!.summary(summary);
  }
  for (const parent of [program, ...program.commands.filter(({ commands }) => commands.length > 0)]) {
    addHelpCommand(parent);
  }
  return program;
}

function findGroup(program: Command, name: string): Command {
  const existing = program.commands.find((command) => command.name() === name);
  if (existing !== undefined) return existing;
  const { summary, description } = groups.find((group) => group.name === name)!;
  return program.command(name).summary(summary).description(description);
}

/** Commander's own help command answers an unknown name with the whole help page. */
function addHelpCommand(parent: Command): void {
  parent
    .helpCommand(false)
    .command("help")
    .summary("show help for a command")
    .argument("[command...]")
    .action((names: readonly string[]) => {
      let command = parent;
      for (const name of names) {
        const inner = command.commands.find((one) => one.name() === name);
        if (inner === undefined) {
          throw new InputError(`unknown command '${names.join(" ")}'; "clipscope help" lists all commands`);
        }
        command = inner;
      }
      command.help();
    });
}

/**
 * Rejects an option that is given twice, because commander would silently use the second value, and an empty file name.
 * The options of every command may be repeated: a shell alias may contain them.
 */
function checkOptionValues(command: Command, isRoot = true): void {
  for (const option of command.options) {
    const parse = option.parseArg;
    if (!option.required) continue;
    const takesFile = /<(file|dir|path)\b/.test(option.flags);
    const mayRepeat = isRoot || option.variadic || parse === collect;
    let isGiven = false;
    option.argParser((value: string, previous: unknown) => {
      if (isGiven && !mayRepeat) throw new InvalidArgumentError("It is given twice.");
      isGiven = true;
      if (takesFile && value === "") throw new InvalidArgumentError("Expected a file name.");
      return parse ? parse(value, previous) : value;
    });
  }
  for (const inner of command.commands) checkOptionValues(inner, false);
}

function refuseEmptyPaths({ registeredArguments, args }: Command): void {
  for (const [i, argument] of registeredArguments.entries()) {
    const given = argument.variadic ? args.slice(i) : args.slice(i, i + 1);
    // A text may be empty.
    if (argument.name() === "text" || !given.includes("")) continue;
    throw new InputError(`argument '${argument.name()}' is empty; remove it or give a value`);
  }
}

function createRoot(terminal: Terminal): Command {
  const { version, description } = packageInfo();
  const program = new Command("clipscope")
    .description(description)
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        terminal.write(text);
      },
      writeErr: (text) => {
        terminal.writeError(text);
      },
      outputError: (text, write) => {
        write(`${oneLine(text)}\n`);
      },
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
      getOutHasColors: () => terminal.colors.isColorSupported,
      getErrHasColors: () => terminal.colors.isColorSupported,
    })
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 10, optionDescription: describeOption });
  return addGlobalOptions(program);
}

/** Options that collect values default to an empty list, which the help does not show. */
function describeOption(this: Help, option: Option): string {
  const isEmpty = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  const shown = isEmpty
    ? Object.assign(new Option(option.flags), option, { defaultValue: undefined })
    : option;
  return Help.prototype.optionDescription.call(this, shown);
}

/** "error: unknown command 'clasify'\n(Did you mean classify?)" as one line that starts with the program's name. */
function oneLine(text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, "clipscope: ")
    .replace(/\s*\n\s*/g, " ");
  // Arguments may be endless, or contain control characters.
  return new InputError(line).message;
}
