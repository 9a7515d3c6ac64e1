import assert from "node:assert/strict";
import { planRun } from "../../../lib/node/train/plan.ts";

const settings = {
  batchSize: 10,
  accumFreq: 1,
  epochs: 3,
  warmup: null,
  lr: 1,
  lrScheduler: "cosine",
  epochsCooldown: null,
  lrCooldownEnd: 0,
  lrCooldownPower: 1,
} as const;

describe("planRun", () => {
  it("counts whole batches and whole steps, as open_clip: (batches // accumulation) · epochs", () => {
    const { batchesPerEpoch, stepsPerEpoch, steps } = planRun("pairs", 79, { ...settings, accumFreq: 3 });
    assert.deepEqual([batchesPerEpoch, stepsPerEpoch, steps], [7, 2, 6]);
  });

  it("warms up in a tenth of the run, in 10,000 steps at most", () => {
    assert.equal(planRun("pairs", 100, settings).warmup, 3);
    assert.equal(planRun("pairs", 1_000_000, settings).warmup, 10_000);
    assert.equal(planRun("pairs", 100, { ...settings, warmup: 7 }).schedule(0), 1 / 7);
  });
});
