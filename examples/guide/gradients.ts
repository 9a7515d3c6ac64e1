/**
 * Chapter 6 of docs/guide: the gradient of a loss, checked against differences of the loss itself.
 *
 *     node dist/examples/guide/gradients.js
 *
 * The loss is the cross-entropy of the image over three labels; the first one is right.
 */
import {
  exp,
  logSoftmax,
  matMul,
  mul,
  neg,
  slice,
  sum,
  tensor4d,
  type Scalar,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { demoModel, gradients, loadModel, readImages, type LossInputs } from "../../lib/index.ts";
import { image, printTable } from "./inside.ts";

const labels = ["three brown stars", "two brown stars", "three red stars"];
const step = 0.05;

const model = await loadModel(demoModel, { residency: "resident" });
const tokenizer = await model.tokenizer();
const rows = labels.map((label) => tokenizer.encode(label));
const pixels = await readImages([image], model.preprocess);

const found = await gradients(model, { pixels, rows }, loss);
console.log(`loss = −log(probability of "${labels[0]}") = ${found.loss.toFixed(4)}`);
console.log(`∂loss / ∂logit_scale = ${found.weights.get("logit_scale")!.dataSync()[0]!.toFixed(4)}\n`);

// The input value that the loss depends on most.
const gradient = found.pixels!.dataSync() as Float32Array;
const at = gradient.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradient[best]!) ? i : best), 0);
const [height, width] = model.preprocess.size;
const [channel, row, column] = [
  Math.floor(at / (height * width)),
  Math.floor(at / width) % height,
  at % width,
];
const [more, less] = [await lossWith(step), await lossWith(-step)];

await model.dispose();
console.log(`input.image[0, ${channel}, ${row}, ${column}], changed by h = ${step}`);
printTable([
  ["loss(x + h)", more.toFixed(6)],
  ["loss(x − h)", less.toFixed(6)],
  ["their difference / 2h", (more - less) / (2 * step)],
  ["∂loss / ∂x", gradient[at]!],
]);

/** −log softmax(exp(logit_scale) · image · textsᵀ)[0] */
function loss({ images, texts, logitScale }: LossInputs): Scalar {
  const logits = mul<Tensor2D>(exp(logitScale), matMul(images!, texts!, false, true)); // [1, 3]
  return neg(sum(slice(logSoftmax(logits), [0, 0], [1, 1])));
}

/** The loss with one value of the input changed. */
async function lossWith(change: number): Promise<number> {
  const values = pixels.dataSync().slice();
  values[at]! += change;
  const changed = tensor4d(values, pixels.shape);
  return (await gradients(model, { pixels: changed, rows }, loss)).loss;
}
