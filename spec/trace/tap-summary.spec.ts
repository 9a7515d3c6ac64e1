import assert from "node:assert/strict";
import fc from "fast-check";
import { histogramBins, matrixOf, summarizeTap, thumbnailOf } from "../../lib/trace/tap-summary.ts";

describe("summarizeTap", () => {
  it("counts every value once, and keeps the range", () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 1, noNaN: true, noDefaultInfinity: true }), (values) => {
        const { histogram, min, max } = summarizeTap("x", [1, values.length], values);
        assert.equal(histogram.length, histogramBins);
        assert.equal(
          histogram.reduce((sum, count) => sum + count, 0),
          values.length,
        );
        assert.equal(min, Math.min(...values));
        assert.equal(max, Math.max(...values));
      }),
    );
  });

  it("puts the ends of the range into the first and the last interval", () => {
    const { histogram } = summarizeTap("x", [1, 3], Float32Array.of(-1, 0, 1));
    assert.equal(histogram[0], 1);
    assert.equal(histogram[32], 1);
    assert.equal(histogram[63], 1);
  });

  it("gives the norm of each token", () => {
    const { tokenNorms } = summarizeTap("x", [1, 2, 2], Float32Array.of(3, 4, 0, 2));
    assert.deepEqual(tokenNorms, [5, 2]);
    assert.equal(summarizeTap("x", [1, 4], Float32Array.of(3, 4, 0, 2)).tokenNorms, null);
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
  it("is the matrix itself if it is small, and keeps the mean of a large one", () => {
    const small = { rows: 1, columns: 3, values: [1, 2, 3] };
    assert.deepEqual(thumbnailOf(small), small);
    const { rows, columns, values } = thumbnailOf({
      rows: 96,
      columns: 480,
      values: Float64Array.from({ length: 96 * 480 }, (_, i) => i),
    });
    assert.deepEqual([rows, columns], [48, 48]);
    const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(Math.abs(mean - (96 * 480 - 1) / 2) < 1e-6);
  });
});
