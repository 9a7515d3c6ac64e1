/**
 * Writes images and captions for training in Python, the tokenizer's training corpus, or the sample images.
 *
 *   node dist/tools/demo-model/generate.js --out DIR [--seed 1] [--count 1000] [--split pretrain|train|test] [--size 84x84]
 *   node dist/tools/demo-model/generate.js --corpus FILE
 *   node dist/tools/demo-model/generate.js --samples DIR
 *
 * DIR gets images.bin (uint8, red, green, blue, one image after the other), scenes.jsonl (one line per image:
 * `scene`, `captions`: language → sentences, `labels`: task → index of the class) and meta.json (count, width, height,
 * seed, split, and `classes`: language → task → prompts of each class).
 */
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { parseArgs } from "node:util";
import { Jimp } from "jimp";
import { languages, tokenizerCorpus } from "./captions.ts";
import { captionsOf, imageOf, sceneOf } from "./dataset.ts";
import { renderScene } from "./generator.ts";
import type { Raster } from "./generator.ts";
import { samples } from "./samples.ts";
import { splits, type Split } from "./scene.ts";
import { allPrompts, labelsOf } from "./tasks.ts";

const captionsPerLanguage = 3;

interface DataSet {
  readonly out: string;
  readonly seed: number;
  readonly count: number;
  readonly split: Split;
  readonly width: number;
  readonly height: number;
}

async function writeDataSet({ out, seed, count, split, width, height }: DataSet): Promise<void> {
  mkdirSync(out, { recursive: true });
  const images = createWriteStream(join(out, "images.bin"));
  const scenes = createWriteStream(join(out, "scenes.jsonl"));
  for (let index = 0; index < count; index++) {
    const scene = sceneOf(seed, index, split);
    await write(images, withoutAlpha(imageOf(scene, seed, index, width, height)));
    const captions = captionsOf(scene, seed, index, captionsPerLanguage);
    await write(scenes, `${JSON.stringify({ scene, captions, labels: labelsOf(scene) })}\n`);
  }
  images.end();
  scenes.end();
  await Promise.all([finished(images), finished(scenes)]);
  writeFileSync(
    join(out, "meta.json"),
    `${JSON.stringify({ count, width, height, seed, split, classes: allPrompts() })}\n`,
  );
}

async function write(stream: Writable, chunk: Uint8Array | string): Promise<void> {
  if (!stream.write(chunk)) await once(stream, "drain");
}

function withoutAlpha({ width, height, data }: Raster): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb.set(data.subarray(4 * pixel, 4 * pixel + 3), 3 * pixel);
  }
  return rgb;
}

async function writeSamples(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const { file, width, height, seed, scene } of samples) {
    const { data } = renderScene(scene, width, height, seed);
    const image = new Jimp({ data: Buffer.from(data), width, height });
    const bytes = file.endsWith(".png")
      ? await image.getBuffer("image/png")
      : await image.getBuffer("image/jpeg", { quality: 90 });
    writeFileSync(join(folder, file), bytes);
  }
}

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    corpus: { type: "string" },
    samples: { type: "string" },
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "1000" },
    split: { type: "string", default: "train" },
    size: { type: "string", default: "84x84" },
  },
});

const [width, height] = values.size.split("x").map(Number);
const split = splits.find((known) => known === values.split);
if (values.samples !== undefined) {
  await writeSamples(values.samples);
} else if (values.corpus !== undefined) {
  writeFileSync(values.corpus, `${languages.flatMap(tokenizerCorpus).join("\n")}\n`);
} else if (values.out !== undefined && split !== undefined && width !== undefined && height !== undefined) {
  const { out } = values;
  await writeDataSet({ out, split, seed: Number(values.seed), count: Number(values.count), width, height });
} else {
  throw new Error(
    "generate: expected --out DIR (with --split pretrain, train or test and --size WIDTHxHEIGHT), --corpus FILE or --samples DIR",
  );
}
