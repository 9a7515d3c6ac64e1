/** Against Tip-Adapter's own formulas and loops in PyTorch (tools/golden/adapt.py). */
import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { logitBlocks } from "../../lib/probe/logits.ts";
import { probeOf } from "../../lib/probe/fit.ts";
import { decodeProbe, encodeProbe } from "../../lib/probe/probe-file.ts";
import { fitTipAdapter, searchFactors, tipAdapter } from "../../lib/probe/tip-adapter.ts";
import type { TextHead } from "../../lib/probe/zero-shot-head.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { MemorySource } from "../support/memory-source.ts";
import { readProbeGolden, type ProbeGolden } from "../support/probe-golden.ts";

const factors = { alpha: 1.17, beta: 1 };
/** ImageNet's. */
const largest = { alpha: 3, beta: 7 };

describe("Tip-Adapter", () => {
  let golden: ProbeGolden;
  let train: LabelledFeatures;
  let validation: LabelledFeatures;
  let head: TextHead;
  before(async () => {
    golden = await readProbeGolden("adapt");
    train = golden.features("train");
    validation = golden.features("validation");
    head = { embeddings: golden.values("text") as Float32Array, scale: 100 };
  });

  it("gives the logits of the original's formula", () => {
    const tensors = memory().numTensors;
    const expected = golden.values("tip.logits");
    const classifier = tipAdapter(train, head, factors);
    for (const size of [1, 2e6]) {
      const found = new Float32Array(expected.length);
      for (const { start, logits } of logitBlocks(classifier, validation, { size }))
        found.set(logits, start * 5);
      const { relativeL2 } = compare(found, expected);
      assert.ok(relativeL2 < 1e-6, `${relativeL2}`);
    }
    assert.equal(memory().numTensors, tensors);
  });

  it("chooses α and β as the original's search does, on the validation rows that it is given", () => {
    const [alpha, beta, accuracy] = golden.values("tip.search");
    const tensors = memory().numTensors;
    const found = searchFactors(tipAdapter(train, head, { alpha: 1, beta: 1 }), validation, { largest });
    assert.equal(memory().numTensors, tensors);
    assert.ok(
      Math.abs(found.alpha - alpha!) < 1e-9 && Math.abs(found.beta - beta!) < 1e-9,
      JSON.stringify(found),
    );
    assert.ok(Math.abs(100 * found.accuracy - accuracy!) < 1e-9);
    // Other rows to choose on, other factors: nothing else decides.
    const half = {
      ...validation,
      rows: 20,
      values: validation.values.slice(0, 20 * 24),
      labels: validation.labels.slice(0, 20),
    };
    const other = fitTipAdapter(train, head, half, { largest }).found;
    assert.notDeepEqual([other.alpha, other.beta], [found.alpha, found.beta]);
  });

  it("becomes a probe whose file keeps the cache", async () => {
    const { probe } = probeOf(train, tipAdapter(train, head, factors), "tip-adapter", factors);
    const again = await decodeProbe(new MemorySource(encodeProbe(probe)));
    assert.deepEqual(again.cache, { keys: train.values, labels: train.labels, ...factors });
    assert.deepEqual(again.logits(validation), probe.logits(validation));
    const { relativeL2 } = compare(again.logits(validation), golden.values("tip.logits"));
    assert.ok(relativeL2 < 1e-6);
    assert.equal(again.evaluate(validation).acc1, probe.evaluate(validation).acc1);
  });
});
