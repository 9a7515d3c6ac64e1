import { strict as assert } from "node:assert";
import fc from "fast-check";
import { memory, tensor, tensor2d, type Tensor } from "@tensorflow/tfjs-core";
import { scaleOf } from "../../lib/draw/scale.ts";
import { summarize, type TapSummary } from "../../lib/study/summary.ts";
import { statistics } from "../../lib/tensor/statistics.ts";
import { assertNear } from "../support/near.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";

async function summaryOf(value: Tensor): Promise<TapSummary> {
  const before = memory().numTensors;
  try {
    return await withoutBlockingReads(() => summarize(value));
  } finally {
    assert.equal(memory().numTensors, before);
    value.dispose();
  }
}

const shapes = fc.oneof(
  fc.constant<number[]>([]),
  fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 3 }),
  fc.tuple(
    fc.constant(1),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
  ),
);

describe("summarize", () => {
  it("gives the figures of lib/tensor/statistics.ts, for any shape", async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.integer(),
        fc.double({ min: -10, max: 10, noNaN: true }),
        async (shape, seed, shift) => {
          const size = shape.reduce((a, b) => a * b, 1);
          const values = Float32Array.from({ length: size }, (_, i) =>
            i % 7 === 3 ? 0 : shift + Math.sin(seed + i * i),
          );
          const expected = statistics(values);
          const found = await summaryOf(tensor(values, shape));
          assert.deepEqual(found.shape, shape);
          assertNear(
            [found.mean, found.norm],
            [expected.mean, expected.norm],
            1e-4 * Math.max(1, expected.norm),
          );
          assertNear([found.std], [expected.std], 1e-4);
          assert.equal(found.zeros, expected.zeros);
          if (expected.std > 0.1) assertNear([found.kurtosis / expected.kurtosis], [1], 1e-3);
          const { min, max, counts } = found.histogram;
          const { low, high } = scaleOf(values);
          assert.deepEqual([min, max], [low, high]);
          assert.equal(counts.length, 64);
          assert.equal(
            counts.reduce((a, b) => a + b, 0),
            size,
          );
          assert.ok(counts[0]! > 0, "the smallest number is in the first interval");
          assert.ok(min === max || counts[63]! > 0, "the largest number is in the last interval");
        },
      ),
      { numRuns: 60 },
    );
  });

  it("counts numbers in 64 intervals of equal width", async () => {
    const { histogram } = await summaryOf(tensor2d([[0, 0.1, 1.5, 62.5, 63.9, 64]]));
    assert.deepEqual([histogram.min, histogram.max], [0, 64]);
    assert.deepEqual(
      [...histogram.counts.entries()].filter(([, count]) => count > 0),
      [
        [0, 2],
        [1, 1],
        [62, 1],
        [63, 2],
      ],
    );
  });

  it("has the norm of each token, and a thumbnail of means", async () => {
    const { tokenNorms, thumbnail } = await summaryOf(tensor([3, 4, 6, 8, 0, 1], [1, 3, 2]));
    assert.deepEqual([...tokenNorms], [5, 10, 1]);
    assert.deepEqual([thumbnail.rows, thumbnail.columns, ...thumbnail.values], [3, 2, 3, 4, 6, 8, 0, 1]);
    const heads = await summaryOf(tensor([1, 2, 3, 4, 3, 2, 1, 0], [1, 2, 2, 2]));
    assert.deepEqual([heads.tokenNorms.length, ...heads.thumbnail.values], [0, 2, 2, 2, 2]);
    // 96 rows in 48 parts: each is the mean of two; 72 columns in 48: parts of one and a half.
    const large = tensor(
      Float32Array.from({ length: 96 * 72 }, (_, i) => Math.floor(i / 72) + 1000 * (i % 72)),
      [96, 72],
    );
    const { rows, columns, values } = (await summaryOf(large)).thumbnail;
    assert.deepEqual([rows, columns], [48, 48]);
    assertNear([values[0]!, values[1]!, values[48]!], [0.5 + 1000 / 3, 0.5 + 5000 / 3, 2.5 + 1000 / 3], 1e-2);
  });

  it("counts what is not finite, and leaves it out of the histogram", async () => {
    const found = await summaryOf(tensor2d([[1, NaN, 3, Infinity]]));
    assert.equal(found.notFinite, 2);
    assert.deepEqual([found.histogram.min, found.histogram.max], [1, 3]);
    assert.deepEqual([found.histogram.counts[0], found.histogram.counts[63]], [1, 1]);
    assert.ok(Number.isNaN(found.mean));
  });
});
