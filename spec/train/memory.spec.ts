import assert from "node:assert/strict";
import { engine, memory, randomNormal, tidy, type Rank } from "@tensorflow/tfjs-core";
import { l2Normalize } from "../../lib/clip/normalize.ts";
import { trainableWeights, type Locks } from "../../lib/train/locks.ts";
import { stepMemory, totalBytes, type StepShape } from "../../lib/train/memory.ts";
import { Optimizer } from "../../lib/train/optimizer.ts";
import { trainStep, type PairBatch } from "../../lib/train/step.ts";
import { loadTiny } from "../support/golden.ts";

/** The most bytes that tfjs held while `run` ran. */
async function peakBytes(run: () => Promise<unknown>): Promise<number> {
  const tracked = engine() as unknown as { trackTensor: (...args: unknown[]) => void };
  const track = tracked.trackTensor.bind(tracked);
  let peak = 0;
  tracked.trackTensor = (...args) => {
    track(...args);
    peak = Math.max(peak, memory().numBytes);
  };
  try {
    await run();
  } finally {
    Reflect.deleteProperty(tracked, "trackTensor");
  }
  return peak;
}

describe("stepMemory", () => {
  const lengths = Array.from({ length: 16 }, (_, i) => 4 + (i % 4));
  const cases: readonly { name: string; locks: Locks; keeps: boolean; clips?: boolean; pixels?: boolean }[] =
    [
      { name: "cached features", locks: { image: { unlockedGroups: 0 } }, keeps: false },
      { name: "cached features, activations kept", locks: { image: { unlockedGroups: 0 } }, keeps: true },
      { name: "both towers", locks: {}, keeps: false, pixels: true },
      { name: "both towers, activations kept", locks: {}, keeps: true, pixels: true },
      { name: "a locked image tower", locks: { image: { unlockedGroups: 0 } }, keeps: false, pixels: true },
      { name: "clipping", locks: { image: { unlockedGroups: 0 } }, keeps: false, clips: true },
      {
        name: "a part of the text tower",
        locks: { image: { unlockedGroups: 0 }, text: { unlockedLayers: 2, freezeLayerNorm: true } },
        keeps: false,
      },
    ];
  for (const { name, locks, keeps, clips = false, pixels = false } of cases) {
    it(`is within 20 % of the most bytes that tensors take: ${name}`, async () => {
      const model = await loadTiny("gelu-mlp");
      const trained = trainableWeights(model, locks);
      const before = memory().numBytes;
      const optimizer = await Optimizer.create(model, trained, {
        ...{ weightDecay: 0.2, beta1: 0.9, beta2: 0.98, epsilon: 1e-6 },
      });
      const rows = lengths.map((length, i) => [
        0,
        ...Array.from({ length: length - 2 }, (_, j) => 4 + i + j),
        2,
      ]);
      const [height, width] = model.preprocess.size;
      const images: PairBatch["images"] = pixels
        ? { pixels: randomNormal<Rank.R4>([rows.length, 3, height, width]) }
        : { features: tidy(() => l2Normalize(randomNormal<Rank.R2>([rows.length, model.config.embedDim]))) };
      const step = (): Promise<unknown> =>
        trainStep(model, optimizer, [{ images, rows }], {
          ...{ rate: 1e-4, clipNorm: clips ? 1 : null, keepsActivations: keeps, textsAtOnce: 16 },
          dropout: { shares: new Map(), seed: 0 },
        });
      await step();
      const peak = (await peakBytes(step)) - before;
      const shape: StepShape = {
        ...{ trained, images: pixels ? rows.length : 0, texts: lengths, textsAtOnce: 16, collects: clips },
        words: new Set(rows.flat()).size,
      };
      const estimate = totalBytes(stepMemory(model, shape, keeps));
      for (const tensor of Object.values(images)) (tensor as { dispose(): void }).dispose();
      optimizer.dispose();
      await model.dispose();
      const ratio = estimate / peak;
      assert.ok(Math.abs(ratio - 1) <= 0.2, `estimated ${estimate}, peak ${peak}: ${ratio.toFixed(2)}`);
    });
  }
});
