import assert from "node:assert/strict";
import { memory, tensor3d } from "@tensorflow/tfjs-core";
import { loadAll } from "../../lib/tensor/weight.ts";
import { example, expectedTaps } from "../support/example-tower.ts";
import { assertValues, tapsOf } from "../support/layers.ts";
import { runLoaded } from "../../lib/nn/stages.ts";

describe("the stages of a tower", () => {
  it("give the same taps and embedding as runStreaming", async () => {
    const { tower, scope } = example("resident");
    await loadAll([scope]);
    const x = tensor3d([[[1, 2]]]);
    const before = memory().numTensors;
    const taps = tapsOf(() => {
      const embedding = runLoaded(tower, x);
      assertValues(embedding, [[193]]);
      embedding.dispose();
    });
    assert.deepEqual(Object.entries(taps), Object.entries(expectedTaps));
    assert.equal(memory().numTensors, before);
    x.dispose();
    for (const weight of scope.weights) weight.dispose();
  });
});
