import assert from "node:assert/strict";
import fc from "fast-check";
import { statistics } from "../../lib/tensor/statistics.ts";
import { elementCount } from "../../lib/tensor/dtype.ts";
import { histogramBins, matrixOf, rangeOf, summarizeTap, thumbnailOf } from "../../lib/trace/tap-summary.ts";
import { assertNear } from "../support/near.ts";

const shapes = fc.oneof(
  fc.constant<number[]>([]),
  fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 2 }),
  fc.tuple(fc.constant(1), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 120 })),
  fc.tuple(
    fc.constant(1),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 9 }),
    fc.nat({ max: 8 }),
  ),
);

describe("summarizeTap", () => {
  it("gives the figures of lib/tensor/statistics.ts, and counts every value once, for any shape", () => {
    fc.assert(
      fc.property(
        shapes,
        fc.integer(),
        fc.double({ min: -10, max: 10, noNaN: true }),
        (shape, seed, shift) => {
          fc.pre(elementCount(shape) > 0);
          const values = Float32Array.from({ length: elementCount(shape) }, (_, i) =>
            i % 7 === 3 ? 0 : shift + Math.sin(seed + i * i),
          );
          const found = summarizeTap("x", shape, values);
          const expected = statistics(values);
          const { mean, std, norm, zeros, kurtosis } = found.statistics;
          const scale = Math.max(1, expected.norm);
          assertNear([mean, std, norm], [expected.mean, expected.std, expected.norm], 1e-12 * scale);
          assert.equal(zeros, expected.zeros);
          if (expected.std > 0.1) assertNear([kurtosis / expected.kurtosis], [1], 1e-9);
          assert.deepEqual([found.min, found.max], rangeOf(values));
          assert.equal(found.notFinite, 0);
          assert.equal(found.histogram.length, histogramBins);
          assert.equal(
            found.histogram.reduce((sum, count) => sum + count, 0),
            values.length,
          );
          assert.ok(found.histogram[0]! > 0, "the smallest value is in the first interval");
          assert.ok(
            found.min === found.max || found.histogram[63]! > 0,
            "the largest is in the last interval",
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("counts values in 64 intervals of equal width", () => {
    const { histogram, min, max } = summarizeTap("x", [1, 6], Float32Array.of(0, 0.1, 1.5, 62.5, 63.9, 64));
    assert.deepEqual([min, max], [0, 64]);
    assert.deepEqual(
      [...histogram.entries()].filter(([, count]) => count > 0),
      [
        [0, 2],
        [1, 1],
        [62, 1],
        [63, 2],
      ],
    );
  });

  it("counts what is not finite, and leaves it out of the histogram", () => {
    const found = summarizeTap("x", [1, 5], Float32Array.of(1, NaN, 3, Infinity, -Infinity));
    assert.deepEqual([found.notFinite, found.min, found.max], [3, 1, 3]);
    assert.deepEqual([found.histogram[0], found.histogram[63]], [1, 1]);
    assert.ok(Number.isNaN(found.statistics.mean));
    assert.equal(summarizeTap("x", [1], Float32Array.of(NaN)).notFinite, 1);
  });

  it("gives the norm of each token, and means of blocks", () => {
    const { tokenNorms, thumbnail } = summarizeTap("x", [1, 3, 2], Float32Array.of(3, 4, 6, 8, 0, 1));
    assert.deepEqual(tokenNorms, Float32Array.of(5, 10, 1));
    assert.deepEqual(thumbnail, { rows: 3, columns: 2, values: Float32Array.of(3, 4, 6, 8, 0, 1) });
    assert.equal(summarizeTap("x", [1, 4], Float32Array.of(3, 4, 0, 2)).tokenNorms, null);
    // 96 rows in 48 parts of two; 72 columns in 48 parts, of one and two in turn.
    const values = Float32Array.from({ length: 96 * 72 }, (_, i) => Math.floor(i / 72) + 1000 * (i % 72));
    const large = summarizeTap("x", [1, 96, 72], values).thumbnail;
    assert.deepEqual([large.rows, large.columns], [48, 48]);
    assert.deepEqual([large.values[0], large.values[1], large.values[48]], [0.5, 1500.5, 2.5]);
  });
});

describe("matrixOf", () => {
  it("averages heads of attention", () => {
    const values = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, /**/ 0, 1, 0, 1, 0, 0, 0, 1, 0);
    const { rows, columns, values: mean } = matrixOf([1, 2, 3, 3], values);
    assert.deepEqual([rows, columns, [...Array.from(mean)]], [3, 3, [0.5, 0.5, 0, 0.5, 0.5, 0, 0, 0.5, 0.5]]);
  });

  it("takes the norm over the channels of an image", () => {
    const { rows, columns, values } = matrixOf([1, 3, 1, 2], Float32Array.of(1, 0, 2, 3, 2, 4));
    assert.deepEqual([rows, columns, [...Array.from(values)]], [1, 2, [3, 5]]);
  });
});

describe("thumbnailOf", () => {
  it("is the matrix itself if it is small, and keeps the mean of any other", () => {
    const small = { rows: 1, columns: 3, values: Float32Array.of(1, 2, 3) };
    assert.deepEqual(thumbnailOf(small), small);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), (tall, wide) => {
        const [rows, columns] = [48 * tall, 48 * wide];
        const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
        const thumbnail = thumbnailOf({ rows, columns, values });
        assert.deepEqual([thumbnail.rows, thumbnail.columns, thumbnail.values.length], [48, 48, 2304]);
        const mean = (numbers: ArrayLike<number>): number =>
          Array.from(numbers).reduce((sum, value) => sum + value, 0) / numbers.length;
        assertNear([mean(thumbnail.values)], [mean(values)], 1e-7);
      }),
    );
  });
});
