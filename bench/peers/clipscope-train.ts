/**
 * The participant clipscope in training, with a locked image tower.
 *
 *     node clipscope-train.js MODEL BACKEND features|pixels all|layers
 *
 * `features`: those of the images are cached. `layers`: the text tower's embeddings stay fixed.
 */
import { randomNormal, tidy, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { l2Normalize } from "../../lib/clip/normalize.ts";
import { loadModel, startNodeBackend } from "../../lib/index.ts";
import { parseBackendChoice } from "../../lib/tensor/backend.ts";
import { trainableWeights } from "../../lib/train/locks.ts";
import { Optimizer } from "../../lib/train/optimizer.ts";
import { trainStep, type PairBatch } from "../../lib/train/step.ts";
import { textsAtOnce } from "../../lib/node/train/texts-at-once.ts";
import { timed } from "../rounds.ts";
import { serve } from "./serve.ts";

const [directory = "", backend = "auto", images = "", trained = ""] = process.argv.slice(2);
const info = await startNodeBackend(parseBackendChoice(backend));
const model = await loadModel(directory, { backend: info.name });
const { vision, embedDim } = model.config;
const locks = {
  image: { unlockedGroups: 0 },
  ...(trained === "layers" && {
    text: { unlockedLayers: model.text.blocks.length, freezeLayerNorm: true },
  }),
};
const optimizer = await Optimizer.create(model, trainableWeights(model, locks), {
  weightDecay: 0.2,
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-6,
});

function randomImages(count: number): PairBatch["images"] {
  if (images === "pixels") return { pixels: randomNormal<Rank.R4>([count, 3, ...vision.imageSize]) };
  return { features: tidy(() => l2Normalize(randomNormal<Rank.R2>([count, embedDim]))) };
}

await serve(
  { name: `clipscope, ${info.name}, ${images}`, version: info.description },
  {
    train: async ({ rows }) => {
      const batch: PairBatch = { images: randomImages(rows.length), rows };
      const { seconds } = await timed(async () => {
        await trainStep(model, optimizer, [batch], {
          rate: 1e-5,
          clipNorm: null,
          dropout: { shares: model.text.dropout, seed: 0 },
          textsAtOnce,
          keepsActivations: trained === "all",
        });
        await model.logitScale.tensor.data(); // waits for the update
      });
      for (const tensor of Object.values<Tensor>(batch.images)) tensor.dispose();
      return { seconds };
    },
    memory: () => Promise.resolve({ seconds: 0, peak: 1024 * process.resourceUsage().maxRSS }),
  },
);
process.exit(0);
