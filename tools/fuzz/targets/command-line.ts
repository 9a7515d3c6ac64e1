/** `clipscope ARGS`, in this process. An input is JSON: the arguments and standard input. */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Command, type Option } from "commander";
import { addGlobalOptions } from "../../../cli/options/global-options.ts";
import { Terminal } from "../../../cli/terminal/terminal.ts";
import { clipscope } from "../../../spec/support/cli.ts";
import { fixture } from "../../../spec/support/paths.ts";
import { makePipe } from "../../../spec/support/special-files.ts";
import { writePoints } from "../../../spec/support/probe-files.ts";
import type { Random } from "../../demo-model/random.ts";
import { json } from "../fixtures.ts";
import { changed } from "../mutate-json.ts";
import { limits } from "../oracle.ts";
import type { CreateTarget, Mutation } from "../target.ts";

interface Call {
  readonly args: readonly string[];
  readonly stdin: string;
}

/** Files of the folder that the calls run in. */
const inputs = [
  "a.png",
  "b.jpg",
  "broken.png",
  "empty.txt",
  "labels.txt",
  "list.txt",
  "texts.jsonl",
  "images",
  "shard.tar",
  "points.safetensors",
  "unlabelled.safetensors",
  "probe.safetensors",
  "model.pt",
  "golden.safetensors",
  "missing.png",
  "new\nline.png",
  "-dash.png",
  "quote'\".png",
  "loop",
  "dangling",
  "pipe",
  "empty",
  "unnormalised.safetensors",
  "one-class.safetensors",
  "empty.safetensors",
  "images/**",
  "images/*/{1,2}.png",
  "[",
  "hf:clipscope/none",
  ".",
  "",
  "/dev/null",
  "tiny",
];
const outputs = [
  "out/new.safetensors",
  "out/{tap}.safetensors",
  "out",
  "missing/out.safetensors",
  "out/{seed}.safetensors",
  "points.safetensors",
  "dangling",
  "loop",
  "pipe",
  "/dev/null/x",
];
const numbers = [
  "sweep",
  "0",
  "0.5",
  "1",
  "2",
  "-1",
  "1.5",
  "1e9",
  "NaN",
  "Infinity",
  "",
  "0x10",
  "99999999999999999999",
];
const texts = [
  "cat,dog",
  "",
  ",",
  "a photo of a {}",
  "{}",
  "\u001b[31m",
  "visual",
  "visual.*",
  "*",
  "猫",
  "x".repeat(500),
  "-",
  "--",
];
const words = [
  "wasm",
  "cpu",
  "auto",
  "gpu",
  "f16",
  "f32",
  "mean",
  "class",
  "clip-benchmark",
  "logistic-regression",
  "ViT-B-32",
  "streamed",
];

/** Commands that are not run: they build, use the network, or serve until they are stopped. */
const refused = ["native", "pull", "doctor", "studio"];

/** What a command accepts, as it registered it. */
interface Grammar {
  readonly words: readonly string[];
  readonly positional: readonly { readonly flags: string; readonly variadic: boolean }[];
  readonly options: readonly Option[];
}

/** The grammars of all commands: a new command or option is fuzzed without a change here. */
async function readGrammars(): Promise<Grammar[]> {
  const folder = new URL("../../../cli/commands/", import.meta.url);
  const terminal = new Terminal({ stdin: process.stdin, stdout: quiet, stderr: quiet, env: {} });
  const names = readdirSync(folder).filter((file) => file.endsWith(".js"));
  const grammars: Grammar[] = [];
  for (const name of names.map((file) => file.slice(0, -".js".length))) {
    if (refused.includes(name)) continue;
    const { register } = (await import(new URL(`${name}.js`, folder).href)) as {
      register: (parent: Command, terminal: Terminal) => void;
    };
    const program = addGlobalOptions(new Command());
    register(program, terminal);
    const command = program.commands.at(-1)!;
    grammars.push({
      words: [...new Set([name.slice(0, -command.name().length).replace(/-$/, ""), command.name()])].filter(
        Boolean,
      ),
      positional: command.registeredArguments.map((argument) => ({
        flags: argument.name(),
        variadic: argument.variadic,
      })),
      options: [...command.options, ...program.options],
    });
  }
  return grammars;
}

const quiet = { write: (): void => undefined };

/** A value of the kind that an option or argument has in its help, mostly. */
function fitting(random: Random, flags: string, choices?: readonly string[]): string {
  if (random.chance(0.1)) return value(random);
  if (choices !== undefined) return random.pick(choices);
  if (/--(out|html|figures)\b|^destination/.test(flags)) return random.pick(outputs);
  if (/<(n|k|i|number|fraction|size)\b/.test(flags)) return random.pick(numbers);
  const isPath = /<(file|dir|path)\b|^(image|path|source|directory|dataset|model|a|b)$/.test(flags);
  return random.pick(isPath ? inputs : texts);
}

function value(random: Random): string {
  return random.pick(random.pick([inputs, inputs, outputs, numbers, texts, words]));
}

/** A call with the arguments and options of one command. */
function newCall(grammars: readonly Grammar[]): Mutation {
  return (_input, random) => {
    const { words, positional, options } = random.pick(grammars);
    const args = [...words];
    for (const { flags, variadic } of positional) {
      const count = random.chance(0.1) ? 0 : variadic ? 1 + random.below(3) : 1;
      for (let i = 0; i < count; i++) args.push(fitting(random, flags));
    }
    for (const option of options) {
      if (!random.chance(option.mandatory ? 0.95 : 0.15)) continue;
      args.push(option.long ?? option.short ?? "");
      if (option.required) args.push(fitting(random, option.flags, option.argChoices));
    }
    return json({ args, stdin: random.pick(standardInputs) } satisfies Call);
  };
}

const standardInputs = [
  "",
  "cat\ndog\n",
  "\n\n",
  '"a"\n{"text":"b"}\n',
  "\0\ufeff",
  "a.png\nb.jpg\n",
  "\x89PNG",
];

/** Changes a call, with options of any command. */
const changedCall: (grammars: readonly Grammar[]) => Mutation = (grammars) => (input, random) => {
  const { args, stdin } = parse(input);
  const at = random.below(args.length + 1);
  switch (random.below(5)) {
    case 0:
      return json({ args: args.toSpliced(at, 1), stdin });
    case 1: {
      const { long, flags } = random.pick(random.pick(grammars).options);
      return json({ args: args.toSpliced(at, 0, long ?? "-C", fitting(random, flags)), stdin });
    }
    case 2:
      return json({ args: args.toSpliced(at, 1, value(random)), stdin });
    case 3:
      return json({ args, stdin: String(changed(stdin, random)) });
    default:
      return json({ args: args.map((arg, i) => (i === at ? String(changed(arg, random)) : arg)), stdin });
  }
};

/** Bytes that are not a call are the arguments, one a line. */
function parse(input: Uint8Array): Call {
  const text = new TextDecoder().decode(input);
  try {
    const { args, stdin } = JSON.parse(text) as { args?: unknown; stdin?: unknown };
    return {
      args: Array.isArray(args) ? args.map(String) : [],
      stdin: typeof stdin === "string" ? stdin : "",
    };
  } catch {
    return { args: text.split("\n"), stdin: "" };
  }
}

/** Absolute paths and the way up are not followed: a call could write there. A call with such a path is not run. */
function leadsOutside(args: readonly string[]): boolean {
  return args.some(
    (arg) =>
      /(^|=|[/\\])\.\.($|[/\\])/.test(arg) || (/^(--?[\w-]+=?)?[/~]/.test(arg) && !/^\/dev\/null/.test(arg)),
  );
}

export const create: CreateTarget = async (folder) => {
  const before = process.cwd();
  process.chdir(folder);
  process.env["HF_HOME"] = join(folder, "hub");
  process.env["CLIPSCOPE_CACHE"] = join(folder, "cache");
  const grammars = await readGrammars();
  await writeInputs();
  return {
    seeds: seeds.map((args) => json({ args, stdin: "cat\ndog\n" })),
    mutations: [newCall(grammars), changedCall(grammars)],
    async run(input) {
      const { args, stdin } = parse(input);
      if (leadsOutside(args) || refused.some((name) => args.includes(name))) return "not run";
      rmSync("out", { recursive: true, force: true });
      const { status, stdout, stderr } = await clipscope(args, { stdin });
      await writeInputs();
      return checked(args, status, stdout, stderr);
    },
    usesCoverage: false,
    // A command may run the network on every image of the folder.
    time: 8000,
    maxSize: 4096,
    close: () => {
      process.chdir(before);
      return Promise.resolve();
    },
  };
};

function checked(args: readonly string[], status: number, stdout: string, stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line !== "");
  if (![0, 1, 2].includes(status)) throw new Error(`the exit status ${status}`);
  if (/internal error/.test(stderr)) throw new Error(stderr.slice(0, 2000));
  if (status === 2 && lines.length === 0) throw new Error("the exit status 2 without a message");
  // A command without arguments shows its help.
  if (stderr.startsWith("Usage: ")) return "help";
  const stray = lines.find((line) => !/^(clipscope: | {2})/.test(line));
  if (stray !== undefined && !args.includes("--debug"))
    throw new Error(`a stray line: ${stray.slice(0, 200)}`);
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  if (/[\x00-\x09\x0b-\x1f\x7f]/.test(stderr)) throw new Error("control characters on standard error");
  if (lines.some((line) => line.length > limits.message)) throw new Error("a message that is too long");
  if (status === 0 && args.includes("--json") && stdout.startsWith("[")) JSON.parse(stdout);
  return `status ${status}: ${(lines[0] ?? stdout.split("\n", 1)[0] ?? "").replace(/"[^"]*"|[\d.]+/g, "0").slice(0, 60)}`;
}

const seeds: readonly (readonly string[])[] = [
  ["classify", "a.png", "--labels", "cat,dog", "--json"],
  ["classify", "a.png", "b.jpg", "--labels-file", "labels.txt", "--template", "a {}"],
  ["embed", "--images", "images", "--out", "out/x.safetensors"],
  ["embed", "--texts", "labels.txt", "--out", "out/x.safetensors"],
  ["embed", "--list", "list.txt", "--out", "out/x.safetensors", "--tap", "visual", "--pool", "mean"],
  ["probe", "fit", "--features", "points.safetensors", "--out", "out/p.safetensors", "-C", "1"],
  ["probe", "eval", "--features", "points.safetensors", "--probe", "probe.safetensors", "--json"],
  ["search", "a cat", "images", "--top", "2"],
  ["search", "--image", "a.png", "images"],
  ["tokenize", "a cat"],
  ["tokenize", "--file", "texts.jsonl", "--json"],
  ["inspect", "tiny", "--depth", "2"],
  ["inspect", "points.safetensors", "--json"],
  ["convert", "model.pt", "out/model", "--arch", "ViT-B-32"],
  ["diff", "tiny", "tiny"],
  ["verify", "--golden", "golden.safetensors", "--model", "tiny", "--json"],
  ["trace", "--model", "tiny", "--image", "a.png", "--out", "out/t.safetensors"],
  [
    "probe",
    "layers",
    "--train",
    "images",
    "--test",
    "images",
    "--out",
    "out/l",
    "--max-iterations",
    "2",
    "--model",
    "tiny",
  ],
  [
    "probe",
    "predict",
    "--probe",
    "probe.safetensors",
    "--features",
    "points.safetensors",
    "--out",
    "out/p.csv",
  ],
  [
    "probe",
    "fit",
    "--features",
    "points.safetensors",
    "--out",
    "out/p{seed}.safetensors",
    "--shots",
    "1",
    "--seeds",
    "2",
  ],
  ["trace", "--model", "tiny", "--image", "a.png", "--figures", "out/f"],
  ["eval", "images", "--model", "tiny", "--out", "out/e", "--limit", "1"],
  ["help", "embed"],
  ["--version"],
];

let probe: Uint8Array | undefined;

async function fittedProbe(): Promise<Uint8Array> {
  const { status, stderr } = await clipscope([
    ...["probe", "fit", "--features", "points.safetensors", "--out", "probe.safetensors"],
  ]);
  if (status !== 0) throw new Error(stderr);
  return readFileSync("probe.safetensors");
}

/** The files that the calls read, again before each call: the last one may have replaced them. */
async function writeInputs(): Promise<void> {
  mkdirSync("images/cat", { recursive: true });
  mkdirSync("images/dog", { recursive: true });
  mkdirSync("tiny", { recursive: true });
  copyFileSync(fixture("images/size-1x1.png"), "a.png");
  copyFileSync(fixture("images/jpeg-444.jpg"), "b.jpg");
  copyFileSync("a.png", "images/cat/1.png");
  copyFileSync("a.png", "images/dog/2.png");
  copyFileSync(fixture("shards/numbers-000.tar"), "shard.tar");
  copyFileSync(fixture("checkpoints/protocol-2.pt"), "model.pt");
  copyFileSync(fixture("tiny/plain-quickgelu/golden.safetensors"), "golden.safetensors");
  for (const file of ["open_clip_config.json", "open_clip_model.safetensors"]) {
    copyFileSync(fixture(`tiny/plain-quickgelu/${file}`), `tiny/${file}`);
  }
  writeFileSync("broken.png", "\x89PNG\r\n\x1a\n");
  writeFileSync("empty.txt", "");
  writeFileSync("labels.txt", "cat\ndog\n\n");
  writeFileSync("list.txt", "a.png\tcat\nb.jpg\tdog\nmissing.png\n");
  writeFileSync("texts.jsonl", '"a"\n{"text":"b"}\n{"texts":1}\n');
  const labels = [0, 0, 1, 1];
  await writePoints("points.safetensors", labels);
  await writePoints("unlabelled.safetensors", null);
  await writePoints("one-class.safetensors", [1, 1]);
  await writePoints("unnormalised.safetensors", labels, { bad: 1 });
  writeFileSync("empty.safetensors", "");
  for (const name of ["new\nline.png", "-dash.png", "quote'\".png"]) copyFileSync("a.png", name);
  mkdirSync("empty", { recursive: true });
  for (const [name, target] of [
    ["loop", "loop"],
    ["dangling", "out/none"],
  ] as const) {
    rmSync(name, { recursive: true, force: true });
    symlinkSync(target, name);
  }
  if (!existsSync("pipe") || !lstatSync("pipe").isFIFO()) {
    rmSync("pipe", { recursive: true, force: true });
    makePipe("pipe");
  }
  probe ??= await fittedProbe();
  writeFileSync("probe.safetensors", probe);
}
