/**
 * What the stages cost on this machine: `npm run bench`. Prints a table and writes it, with the machine described, to
 * `bench/results/<time>.json`. Absolute figures differ from machine to machine and with what else runs: compare
 * figures of one run alone.
 *
 *     node dist/tools/bench/bench.js [--model DIR] [--seconds 2]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { randomNormal, type Tensor2D } from "@tensorflow/tfjs-core";
import { decodeImage } from "../../lib/clip/preprocess/decode.ts";
import { transform } from "../../lib/clip/preprocess/transform.ts";
import { demoModel, loadModel, startNodeBackend } from "../../lib/index.ts";
import { nodeCodecs } from "../../lib/node/codecs.ts";

const codecs = nodeCodecs();
const root = fileURLToPath(new URL("../../../", import.meta.url));
const { values: options } = parseArgs({
  options: { model: { type: "string", default: demoModel }, seconds: { type: "string", default: "2" } },
});
const seconds = Number(options.seconds);

interface Figure {
  readonly stage: string;
  readonly value: number;
  readonly unit: string;
}

const figures: Figure[] = [];

function report(stage: string, value: number, unit: string): void {
  figures.push({ stage, value, unit });
  console.log(`${stage.padEnd(58)} ${value.toPrecision(3).padStart(9)} ${unit}`);
}

/** Runs for about `seconds`, after one run to warm up; milliseconds of the fastest run, the least disturbed one. */
async function fastest(run: () => Promise<unknown>): Promise<number> {
  await run();
  let best = Infinity;
  const end = performance.now() + 1000 * seconds;
  do {
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
  } while (performance.now() < end);
  return best;
}

async function untilRead(tensor: Promise<Tensor2D>): Promise<void> {
  const result = await tensor;
  await result.data();
  result.dispose();
}

/** A whole process, from start to exit: wall time in seconds and peak memory in MiB. */
function coldProcess(...command: string[]): { seconds: number; peak: number } {
  // The child tells its own peak on a channel of its own.
  const tellPeak = `process.on("exit", () => require("node:fs").writeSync(3, String(process.resourceUsage().maxRSS)))`;
  const hook = `data:text/javascript,import{createRequire}from"node:module";const require=createRequire("file:///");${encodeURIComponent(tellPeak)}`;
  const start = performance.now();
  const { status, output, stderr } = spawnSync(
    process.execPath,
    ["--import", hook, join(root, "bin/clipscope.js"), ...command],
    { stdio: ["ignore", "pipe", "pipe", "pipe"], encoding: "utf8" },
  );
  const elapsed = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`clipscope ${command.join(" ")} failed: ${stderr}`);
  return { seconds: elapsed, peak: Number(output[3]) / 1024 };
}

const samples = readdirSync(join(options.model, "samples")).map((name) =>
  join(options.model, "samples", name),
);
const sample = samples.find((path) => path.endsWith(".jpg")) ?? samples[0]!;
const labels = "red circle,blue square,green star,cerchio rosso,赤い丸,红色圆形";

console.log(
  `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}\n`,
);

const cold = ["classify", sample, "--labels", labels, "--backend", "wasm", "--model", options.model];
const runs = Array.from({ length: 5 }, () => coldProcess(...cold));
report("cold classify of one image, whole process, wasm", Math.min(...runs.map((run) => run.seconds)), "s");
report("cold classify, peak memory", Math.max(...runs.map((run) => run.peak)), "MiB");

const start = performance.now();
const { description } = await startNodeBackend();
report(`start of the backend (${description})`, performance.now() - start, "ms");
const model = await loadModel(options.model);
const tokenizer = await model.tokenizer();

for (const path of [sample, ...samples.filter((other) => other.endsWith(".png")).slice(0, 1)]) {
  const bytes = readFileSync(path);
  const name = path.split("/").at(-1) ?? path;
  const image = await decodeImage(bytes, name, codecs);
  const size = `${image.width}×${image.height}`;
  report(`decode ${name} (${size})`, await fastest(() => decodeImage(bytes, name, codecs)), "ms");
  report(
    `resize, crop, normalise ${size}`,
    await fastest(() => Promise.resolve(transform(image, model.preprocess))),
    "ms",
  );
}

const captions = readCaptions();
const tokenising = await fastest(() => Promise.resolve(captions.map((text) => tokenizer.encode(text))));
report("tokenise", (1000 * captions.length) / tokenising, "texts/s");

const [height, width] = model.config.vision.imageSize;
for (const batch of [1, 8, 32]) {
  const pixels = randomNormal([batch, 3, height, width]);
  const time = await fastest(() =>
    untilRead(model.encodeImage(pixels as Parameters<typeof model.encodeImage>[0])),
  );
  report(`image tower, batch ${batch}`, (1000 * batch) / time, "images/s");
  pixels.dispose();
}

const rows = captions.map((text) => tokenizer.encode(text));
const { contextLength } = model.config.text;
const trimmed = await fastest(() => untilRead(model.encodeTokens(rows)));
report(
  `text tower, ${rows.length} captions of ${mean(rows.map((row) => row.length)).toFixed(1)} tokens`,
  (1000 * rows.length) / trimmed,
  "texts/s",
);
const padded = rows.map((row) => [
  ...row.slice(0, -1),
  ...Array<number>(contextLength - row.length).fill(row[1]!),
  row.at(-1)!,
]);
const full = await fastest(() => untilRead(model.encodeTokens(padded)));
report(`text tower, as many of ${contextLength} tokens`, (1000 * rows.length) / full, "texts/s");
report("text tower, natural lengths against full context", full / trimmed, "times faster");

const folder = join(root, "bench/results");
mkdirSync(folder, { recursive: true });
const file = join(folder, `${new Date().toISOString().replaceAll(":", "-")}.json`);
const machine = {
  processor: cpus()[0]?.model,
  cores: cpus().length,
  memory: totalmem(),
  node: process.versions.node,
  backend: description,
};
writeFileSync(file, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
console.log(`\nwritten to ${file}`);

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Natural texts in four languages: the tokenizer's committed table. */
function readCaptions(): string[] {
  return readFileSync(join(root, "fixtures/tokenizer/ids.jsonl"), "utf8")
    .split("\n")
    .slice(1)
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { text: string }).text)
    .filter((text) => /^[\p{L}\p{P} ]{12,100}$/u.test(text))
    .slice(0, 256);
}
