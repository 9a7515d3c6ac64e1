/** The command line: reads arguments, runs a command, returns the exit status. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { collect } from "./options/options.ts";
import { packageInfo } from "./package-info.ts";
import type { ExitStatus, Terminal } from "./terminal/terminal.ts";

interface CommandModule {
  register(program: Command, terminal: Terminal): void;
}

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** A command's file is loaded when its name is among the arguments: `--help` and `tokenize` need no tfjs. */
const entries: readonly Entry[] = [
  {
    name: "classify",
    summary: "zero-shot probabilities of images",
    load: () => import("./commands/classify.ts"),
  },
  {
    name: "embed",
    summary: "embeddings of images or texts, in a features file",
    load: () => import("./commands/embed.ts"),
  },
  { name: "probe", summary: "linear classifiers on features", load: () => import("./commands/probe.ts") },
  {
    name: "search",
    summary: "rank images by similarity to a text or an image",
    load: () => import("./commands/search.ts"),
  },
  {
    name: "tokenize",
    summary: "show what the tokenizer makes of a text",
    load: () => import("./commands/tokenize.ts"),
  },
  {
    name: "inspect",
    summary: "the module tree: shapes, parameters, GFLOPs",
    load: () => import("./commands/inspect.ts"),
  },
  {
    name: "convert",
    summary: "turn a checkpoint into a model directory",
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
    summary: "compare every layer with a golden file of OpenCLIP's activations",
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "trace",
    summary: "write, count or picture what goes on inside the network",
    load: () => import("./commands/trace.ts"),
  },
  {
    name: "doctor",
    summary: "which backends can run here, and how to get the others",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "native",
    summary: "build the TensorFlow backend, the fastest",
    load: () => import("./commands/native.ts"),
  },
];

/** Runs the command that `args` (without node and script) ask for. Never throws. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  try {
    const program = createProgram(terminal);
    for (const { name, summary, load } of entries) {
      if (!args.includes(name)) {
        program.command(name).summary(summary);
        continue;
      }
      (await load()).register(program, terminal);
      program.commands.at(-1)?.summary(summary);
    }
    program.commands.forEach(refuseRepeats);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    // Commander has written its message by now. Help that was asked for is no error.
    if (!(error instanceof CommanderError)) terminal.report(error);
    else if (error.exitCode !== 0) return 2;
  }
  return terminal.status;
}

/**
 * An option that takes one value takes it once: the last of several would win in silence. The options of every command
 * may be repeated, for an alias may hold them.
 */
function refuseRepeats(command: Command): void {
  for (const option of command.options) {
    const parse = option.parseArg;
    if (!option.required || option.variadic || parse === collect) continue;
    let isGiven = false;
    option.argParser((value: string, previous: unknown) => {
      if (isGiven) throw new InvalidArgumentError("It is given twice.");
      isGiven = true;
      return parse ? parse(value, previous) : value;
    });
  }
  command.commands.forEach(refuseRepeats);
}

function createProgram(terminal: Terminal): Command {
  const { version, description } = packageInfo();
  return new Command("clipscope")
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
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 10 })
    .option(
      "--model <dir>",
      "model directory, or hf:REPOSITORY for one that was pulled (default: the demo model that comes along)",
    )
    .option("--arch <name>", "open_clip's name of the architecture, for a model directory without a config")
    .addOption(
      new Option("--backend <name>", "what computes")
        .choices(["auto", "tensorflow", "wasm", "cpu"])
        .default("auto"),
    )
    .option("--json", "print one JSON document")
    .option("--debug", "print stack traces and TensorFlow's notices");
}

/** "error: unknown command 'clasify'\n(Did you mean classify?)" in one line of ours. */
function oneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, "clipscope: ")
    .replace(/\s*\n\s*/g, " ");
}
