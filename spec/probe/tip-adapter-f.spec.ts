/** Against Tip-Adapter-F's training loop in PyTorch (tools/golden/adapt.py). */
import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import { fitTipAdapterF, trainKeys } from "../../lib/probe/tip-adapter-f.ts";
import type { TextHead } from "../../lib/probe/zero-shot-head.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { readProbeGolden, type ProbeGolden } from "../support/probe-golden.ts";

describe("Tip-Adapter-F", () => {
  let golden: ProbeGolden;
  let head: TextHead;
  before(async () => {
    golden = await readProbeGolden("adapt");
    head = { embeddings: golden.values("text") as Float32Array, scale: 100 };
  });

  it("trains the keys as torch's AdamW does, epoch by epoch", () => {
    const train = golden.features("train");
    const tensors = memory().numTensors;
    let epoch = 0;
    trainKeys(
      train,
      head,
      (keys) => {
        epoch += 1;
        const expected = golden.values(`f.keys.${epoch}`);
        const move = (of: ArrayLike<number>): Float64Array =>
          Float64Array.from(of, (value, i) => value - train.values[i]!);
        const { relativeL2 } = compare(move(keys), move(expected));
        assert.ok(relativeL2 < 1e-4, `epoch ${epoch}: the movement differs by ${relativeL2}`);
      },
      { epochs: 6, batchSize: 8 },
    );
    assert.equal(epoch, 6);
    assert.equal(memory().numTensors, tensors);
  });

  it("keeps the epoch that is best on the validation split", () => {
    const validation = golden.features("validation");
    const fitted = fitTipAdapterF(golden.features("train"), head, validation, {
      epochs: 4,
      batchSize: 8,
      learningRate: 0.1,
    });
    assert.equal(fitted.accuracies.length, 4);
    assert.equal(fitted.epoch, fitted.accuracies.indexOf(Math.max(...fitted.accuracies)) + 1);
    assert.ok(fitted.found.accuracy >= Math.max(...fitted.accuracies) - 1e-9);
    const other = fitTipAdapterF(golden.features("train"), head, validation, {
      epochs: 4,
      batchSize: 8,
      seed: 1,
    });
    assert.notDeepEqual(other.classifier.cache.keys, fitted.classifier.cache.keys);
  });
});
