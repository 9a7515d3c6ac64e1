/** Child process of `wasm-passes.ts`: runs image towers on wasm. Answers each `Task` with the milliseconds of a pass. */
import { randomNormal, type Tensor4D } from "@tensorflow/tfjs-core";
import { Clip } from "../lib/clip/clip.ts";
import { declaredTensors } from "../lib/clip/network.ts";
import { architectureByName, parseClipConfig } from "../lib/clip/config/open-clip.ts";
import { parsePreprocessConfig } from "../lib/clip/config/preprocess-config.ts";
import { startNodeBackend } from "../lib/node/backends/backends.ts";
import { loadModel } from "../lib/node/models/load-model.ts";
import { SyntheticStore } from "../lib/tensor/synthetic.ts";

export interface Task {
  readonly model: "blocks" | "demo";
  readonly batch: number;
}

/** ViT-H/14's image tower, with fewer blocks of the same size. */
async function blocks(layers: number): Promise<Clip> {
  const name = "xlm-roberta-large-ViT-H-14";
  const whole = await parseClipConfig(architectureByName(name), name, () => Promise.resolve(null));
  const config = { ...whole, vision: { ...whole.vision, layers } };
  return new Clip({
    config,
    store: new SyntheticStore(declaredTensors(config)),
    preprocess: parsePreprocessConfig(undefined, config.vision.imageSize, name),
    loadTokenizer: () => Promise.reject(new Error("images only")),
    residency: "resident",
  });
}

await startNodeBackend("wasm");
const models = {
  blocks: await blocks(Number(process.argv[2])),
  demo: await loadModel(undefined, { backend: "wasm" }),
};

async function pass({ model, batch }: Task): Promise<number> {
  const clip = models[model];
  const pixels: Tensor4D = randomNormal([batch, 3, ...clip.config.vision.imageSize]);
  const start = performance.now();
  const features = await clip.encodeImage(pixels);
  await features.data();
  const time = performance.now() - start;
  features.dispose();
  pixels.dispose();
  return time;
}

process.on("message", (task: Task) => {
  void pass(task).then((time) => process.send!(time));
});
