/** `clipscope ARGS`, in this process. An input is JSON: the arguments and standard input. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clipscope } from "../../../spec/support/cli.ts";
import { fixture } from "../../../spec/support/paths.ts";
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
  "points.safetensors",
  "/dev/null/x",
];
const numbers = ["0", "1", "2", "-1", "1.5", "1e9", "NaN", "Infinity", "", "0x10", "99999999999999999999"];
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

/** Commands whose runs change nothing outside the folder: not "native" (builds) and not "pull" (the network). */
const commands = [
  ["classify"],
  ["embed"],
  ["probe", "fit"],
  ["probe", "eval"],
  ["probe", "predict"],
  ["search"],
  ["tokenize"],
  ["inspect"],
  ["convert"],
  ["diff"],
  ["verify"],
  ["trace"],
  ["help"],
] as const;

const options = [
  ...[
    "--labels",
    "--labels-file",
    "--template",
    "--top",
    "--exif",
    "--batch",
    "--images",
    "--list",
    "--texts",
    "--out",
  ],
  ...[
    "--tap",
    "--pool",
    "--normalize",
    "--features",
    "--recipe",
    "--validation",
    "-C",
    "--max-iterations",
    "--balanced",
  ],
  ...[
    "--shots",
    "--seed",
    "--probe",
    "--figures",
    "--image",
    "--file",
    "--stats",
    "--depth",
    "--image-size",
  ],
  ...[
    "--text-length",
    "--dtype",
    "--force",
    "--prefix",
    "--golden",
    "--tolerance",
    "--isolated",
    "--html",
    "--text",
  ],
  ...[
    "--taps",
    "--layer",
    "--head",
    "--model",
    "--arch",
    "--backend",
    "--json",
    "--help",
    "--version",
    "--weights",
    "--nonsense",
  ],
];

function value(random: Random): string {
  return random.pick(random.pick([inputs, inputs, outputs, numbers, texts, words]));
}

const newCall: Mutation = (_input, random) => {
  const args: string[] = [...random.pick(commands)];
  for (let left = random.below(8); left > 0; left--) {
    if (random.chance(0.6)) args.push(random.pick(options));
    if (random.chance(0.8)) args.push(value(random));
  }
  return json({
    args,
    stdin: random.pick(["", "cat\ndog\n", "\n\n", '"a"\n{"text":"b"}\n', "\0\ufeff"]),
  } satisfies Call);
};

const changedCall: Mutation = (input, random) => {
  const { args, stdin } = parse(input);
  const at = random.below(args.length + 1);
  switch (random.below(5)) {
    case 0:
      return json({ args: args.toSpliced(at, 1), stdin });
    case 1:
      return json({ args: args.toSpliced(at, 0, random.pick(options), value(random)), stdin });
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
  await writeInputs();
  return {
    seeds: seeds.map((args) => json({ args, stdin: "cat\ndog\n" })),
    mutations: [newCall, changedCall, changedCall],
    async run(input) {
      const { args, stdin } = parse(input);
      if (leadsOutside(args) || args.includes("native") || args.includes("pull") || args.includes("doctor"))
        return "not run";
      rmSync("out", { recursive: true, force: true });
      const { status, stdout, stderr } = await clipscope(args, { stdin });
      await writeInputs();
      return checked(args, status, stdout, stderr);
    },
    usesCoverage: false,
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
  ["help", "embed"],
  ["--version"],
];

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
}
