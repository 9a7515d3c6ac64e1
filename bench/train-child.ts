/**
 * Trains with a locked image tower for some steps, as a process of its own, and prints the seconds of each step and the
 * process's peak memory: node dist/bench/train-child.js MODEL BACKEND SETTINGS.json
 */
import { readFileSync } from "node:fs";
import { randomNormal, tidy, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { l2Normalize } from "../lib/clip/normalize.ts";
import { loadModel } from "../lib/node/models/load-model.ts";
import { parseBackendChoice } from "../lib/tensor/backend.ts";
import { trainableWeights } from "../lib/train/locks.ts";
import { Optimizer } from "../lib/train/optimizer.ts";
import { trainStep, type PairBatch } from "../lib/train/step.ts";
import type { TrainChildSettings } from "./sections/train.ts";

const [directory = "", backend = "", file = ""] = process.argv.slice(2);
const { rows, isCached, freezesEmbeddings } = JSON.parse(readFileSync(file, "utf8")) as TrainChildSettings;
const model = await loadModel(directory, { backend: parseBackendChoice(backend) });
const { vision, embedDim } = model.config;
const layers = model.text.blocks.length;
const locks = {
  image: { unlockedGroups: 0 },
  ...(freezesEmbeddings && { text: { unlockedLayers: layers, freezeLayerNorm: true } }),
};
const optimizer = await Optimizer.create(model, trainableWeights(model, locks), {
  weightDecay: 0.2,
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-6,
});
const batch = rows[0]!.length;
const images = (): PairBatch["images"] =>
  isCached
    ? { features: tidy(() => l2Normalize(randomNormal<Rank.R2>([batch, embedDim]))) }
    : { pixels: randomNormal<Rank.R4>([batch, 3, ...vision.imageSize]) };
const seconds: number[] = [];
for (const texts of rows) {
  const given = images();
  const start = performance.now();
  await trainStep(model, optimizer, [{ images: given, rows: texts }], {
    rate: 1e-5,
    clipNorm: null,
    dropout: { shares: model.text.dropout, seed: 0 },
    textsAtOnce: 16,
  });
  await model.logitScale.tensor.data(); // waits for the update
  seconds.push((performance.now() - start) / 1000);
  for (const tensor of Object.values<Tensor>(given)) tensor.dispose();
}
console.log(JSON.stringify({ seconds, peak: 1024 * process.resourceUsage().maxRSS }));
process.exit(0);
