/**
 * The participant clipscope.
 *
 *     node clipscope.js MODEL BACKEND WEIGHTS PRECISION
 */
import {
  matMul,
  randomNormal,
  sum,
  tensor1d,
  tensor4d,
  tidy,
  type Rank,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { loadModel, startNodeBackend } from "../../lib/index.ts";
import { linear } from "../../lib/nn/operations/linear.ts";
import { parseBackendChoice } from "../../lib/tensor/backend.ts";
import { syntheticValues } from "../../lib/tensor/synthetic.ts";
import type { Precision } from "../../lib/tensor/precision.ts";
import type { Residency } from "../../lib/tensor/weight.ts";
import { timed } from "../rounds.ts";
import { encodeEmbedding, type Reply, type TextRequest } from "./protocol.ts";
import { serve } from "./serve.ts";

const [directory = "", backend = "auto", weights = "auto", precision = "f32"] = process.argv.slice(2);
const info = await startNodeBackend(parseBackendChoice(backend));
const model = await loadModel(directory, {
  backend: info.name,
  residency: weights as Residency | "auto",
  precision: precision as Precision,
});

/** Times a pass until its numbers can be read. */
async function timeUntilRead(run: () => Promise<Tensor2D>): Promise<Reply> {
  let embedding: Float32Array | undefined;
  const { seconds } = await timed(async () => {
    const result = await run();
    embedding = (await result.data()) as Float32Array;
    result.dispose();
  });
  return { seconds, embedding: encodeEmbedding(embedding!) };
}

async function image(batch: number): Promise<Reply> {
  const [height, width] = model.config.vision.imageSize;
  const shape: [number, number, number, number] = [batch, 3, height, width];
  const pixels = tensor4d(syntheticValues("input.image", shape, 0, 3 * batch * height * width), shape);
  const reply = await timeUntilRead(() => model.encodeImage(pixels));
  pixels.dispose();
  return reply;
}

function text({ rows, batchSize }: TextRequest): Promise<Reply> {
  return timeUntilRead(() => model.encodeTokens(rows, { batchSize }));
}

/** The faster one of tfjs's matrix product and the network's own. */
async function matrix(size: number): Promise<Reply> {
  const a = randomNormal<Rank.R2>([size, size]);
  const b = randomNormal<Rank.R2>([size, size]);
  const bias = tensor1d(new Float32Array(size));
  const products = [() => matMul(a, b), () => linear(a, b, bias)];
  let best = Infinity;
  for (const product of products) {
    const { seconds } = await timed(async () => {
      const total = tidy(() => sum(product())); // reading one number waits for the product
      await total.data();
      total.dispose();
    });
    best = Math.min(best, seconds);
  }
  for (const tensor of [a, b, bias]) tensor.dispose();
  return { seconds: best };
}

/** Loads all weights of the image tower block by block, as a pass does. */
async function load(): Promise<Reply> {
  const { visual, weights: all } = model;
  const names = [...all.store.tensors.keys()].filter((name) => name.startsWith("visual."));
  const reading = await timed(async () => {
    for (const name of names) await all.store.read(name);
  });
  const loading = await timed(async () => {
    for (const { scope } of visual.transformer.resblocks) await scope.load();
    await visual.scope.load(); // the weights outside the blocks
  });
  for (const handle of all.under("visual.")) handle.dispose();
  return { seconds: loading.seconds, reading: reading.seconds };
}

const name = `clipscope, ${info.name}${precision === "f32" ? "" : `, ${precision}`}`;
const identity = { name, version: info.description };
await serve(identity, {
  image: ({ batch }) => image(batch),
  text,
  matrix: ({ size }) => matrix(size),
  memory: () => Promise.resolve({ seconds: 0, peak: 1024 * process.resourceUsage().maxRSS }),
  // Streamed weights do not fit the backend all at once.
  ...(model.weights.residency === "resident" && { load }),
});
await model.dispose();
