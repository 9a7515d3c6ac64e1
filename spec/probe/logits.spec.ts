import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import { normalizeRows } from "../../lib/features/features.ts";
import { rowsPerBlock } from "../../lib/features/row-blocks.ts";
import { accuracyOf, logitBlocks, softmaxRows } from "../../lib/probe/logits.ts";
import { Probe } from "../../lib/probe/probe.ts";
import { TorchRandom } from "../../lib/tensor/torch-random.ts";
import { assertNear } from "../support/near.ts";
import { randomFeatures } from "../support/random-features.ts";

describe("logits in blocks", () => {
  // W = [[1, 0], [0, 1], [1, 1]], b = [0, 0, −1]
  const linear = { weight: Float32Array.of(1, 0, 0, 1, 1, 1), bias: Float32Array.of(0, 0, -1) };
  const rows = { values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), rows: 5, width: 2 };

  it("are W x + b of consecutive rows, at most so many at once", () => {
    const tensors = memory().numTensors;
    const blocks = [...logitBlocks(linear, rows, { size: 6 })];
    assert.deepEqual(
      blocks.map(({ start, end }) => [start, end]),
      [
        [0, 2],
        [2, 4],
        [4, 5],
      ],
    );
    assert.deepEqual(
      blocks.flatMap(({ logits }) => [...logits]),
      [1, 2, 2, 3, 4, 6, 5, 6, 10, 7, 8, 14, 9, 10, 18],
    );
    assert.equal(memory().numTensors, tensors);
  });

  it("come with the probability of the largest", () => {
    const [block] = [...logitBlocks(linear, rows)];
    const { logits, confidences } = block!;
    const probabilities = softmaxRows(logits.slice(), 3);
    assertNear(
      [...confidences],
      [0, 1, 2, 3, 4].map((row) => Math.max(...probabilities.subarray(3 * row, 3 * row + 3))),
      1e-6,
    );
  });

  it("dispose their tensors if the consumer stops early", () => {
    const tensors = memory().numTensors;
    for (const { start } of logitBlocks(linear, rows, { size: 3 })) if (start > 0) break;
    assert.equal(memory().numTensors, tensors);
  });

  it("are those of normalised rows, for a probe that was fitted on such", () => {
    const features = { ...randomFeatures(50, 8, 3), metadata: { normalized: "false" } };
    const weight = new TorchRandom(1).uniform(3 * 8, 1);
    const parts = { name: "random", weight, bias: Float32Array.of(0.1, 0, -0.1), classNames: null };
    const probe = new Probe({ ...parts, metadata: { normalized: "true" } });
    const raw = new Probe({ ...parts, metadata: { normalized: "false" } });
    const logitsOf = (blocks: Iterable<{ readonly logits: Float32Array }>): number[] =>
      [...blocks].flatMap(({ logits }) => [...logits]);
    const expected = logitsOf(raw.blocks(normalizeRows(features)));
    assert.deepEqual(logitsOf(probe.blocks(features)), expected);
    assert.deepEqual(logitsOf(probe.blocks(normalizeRows(features))), expected);
    assert.notDeepEqual(logitsOf(raw.blocks(features)), expected);
    probe.accept(features);
    assert.throws(() => {
      raw.accept(normalizeRows(features));
    }, /normal/);
  });

  it("hold neither too many features nor too many logits", () => {
    assert.equal(rowsPerBlock(1024, 10, 2e6), 1953);
    assert.equal(rowsPerBlock(2, 100_000, 2e6), 20);
    assert.equal(rowsPerBlock(1024, 1000, 10), 1);
  });

  it("are counted for more than 2^24 of them", () => {
    const [classes, width] = [1024, 4];
    const features = randomFeatures(2 ** 14 + 1, width, classes);
    const weight = new TorchRandom(1).uniform(classes * width, 1);
    const probe = new Probe({
      name: "random",
      weight,
      bias: new Float32Array(classes),
      classNames: null,
      metadata: {},
    });
    const { acc1, classes: reports } = probe.evaluate(features);
    assert.equal(accuracyOf(probe, features), acc1);
    assert.equal(
      reports.reduce((sum, { examples }) => sum + examples, 0),
      features.rows,
    );
    assert.equal(probe.logits(features).length, features.rows * classes);
  });
});
