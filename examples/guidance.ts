/**
 * Gradient ascent on pixels: changes an image so that its similarity to a text grows.
 *
 *     node dist/examples/guidance.js "a red circle" out.png [--from image.png] [--steps 100] [--model DIR]
 *
 * The gradient of the cosine similarity is computed through the whole image tower to the pixels. The result shows what
 * the model responds to, not what a person would draw: an adversarial image, as in Szegedy et al. 2014
 * (arXiv 1312.6199).
 */
import { parseArgs } from "node:util";
import { add, mul, neg, norm, div, sum, tidy, zeros } from "@tensorflow/tfjs-core";
import type { Rank, Tensor4D } from "@tensorflow/tfjs-core";
import { Jimp } from "jimp";
import { demoModel, gradients, loadModel, readImages, type Clip } from "../lib/index.ts";

/** Raises the similarity of pixels to a text; returns the new pixels and the similarity after each step. */
export async function guide(
  model: Clip,
  pixels: Tensor4D,
  text: string,
  { steps, stepSize }: { readonly steps: number; readonly stepSize: number },
): Promise<{ readonly pixels: Tensor4D; readonly similarities: readonly number[] }> {
  const target = await model.encodeText([text], { normalize: true });
  const similarities: number[] = [];
  let current: Tensor4D = pixels.clone();
  for (let i = 0; i < steps; i++) {
    const found = await gradients(model, { pixels: current }, ({ images }) => neg(sum(mul(images!, target))));
    const before = current;
    const gradient = found.pixels!;
    // Every step has the same length: only the gradient's direction is used.
    current = tidy(() => add<Tensor4D>(before, mul(div(gradient, norm(gradient)), -stepSize)));
    similarities.push(-found.loss);
    for (const tensor of [before, gradient, ...found.weights.values()]) tensor.dispose();
  }
  target.dispose();
  return { pixels: current, similarities };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: "string" },
      steps: { type: "string", default: "100" },
      model: { type: "string", default: demoModel },
    },
  });
  const [text, out] = positionals;
  const steps = Number(values.steps);
  if (text === undefined || out === undefined || !(Number.isInteger(steps) && steps > 0)) {
    console.error('usage: guidance.js "text" out.png [--from image.png] [--steps 100] [--model DIR]');
    process.exitCode = 2;
    return;
  }
  const model = await loadModel(values.model, { residency: "resident" });
  const [height, width] = model.preprocess.size;
  const start: Tensor4D =
    values.from === undefined
      ? zeros<Rank.R4>([1, 3, height, width]) // the mean colour of the training set
      : await readImages([values.from], model.preprocess);
  const { pixels, similarities } = await guide(model, start, text, {
    steps,
    stepSize: 1,
  });
  console.log(
    `similarity to ${JSON.stringify(text)}: ${similarities[0]?.toFixed(3)} → ${similarities.at(-1)?.toFixed(3)}`,
  );
  await writePng(out as `${string}.png`, await pixels.data(), model);
  await model.dispose();
}

/** Undoes the normalisation: (value · std + mean) · 255, clipped. */
async function writePng(path: `${string}.png`, pixels: ArrayLike<number>, model: Clip): Promise<void> {
  const {
    size: [height, width],
    mean,
    std,
  } = model.preprocess;
  const image = new Jimp({ width, height });
  for (let i = 0; i < width * height; i++) {
    for (const channel of [0, 1, 2] as const) {
      const value = (pixels[channel * width * height + i]! * std[channel] + mean[channel]) * 255;
      image.bitmap.data[4 * i + channel] = Math.max(0, Math.min(255, Math.round(value)));
    }
    image.bitmap.data[4 * i + 3] = 255;
  }
  await image.write(path);
}

if (process.argv[1]?.endsWith("guidance.js")) await main();
