import assert from "node:assert/strict";
import { headStatistics } from "../../lib/study/head-statistics.ts";
import { tokenAttention } from "../../lib/study/attention.ts";

/** Two heads of a class token and 2 × 2 patches: one uniform, one on the token itself. */
const length = 5;
const uniform = new Array<number>(length * length).fill(1 / length);
const identity = Array.from({ length: length * length }, (_, i) => (i % (length + 1) === 0 ? 1 : 0));
const values = Float32Array.from([...uniform, ...identity]);
const attention = { values, heads: 2, length };

describe("headStatistics", () => {
  it("gives log2 of the tokens for uniform attention, and 0 for attention to one token", () => {
    assert.ok(Math.abs(headStatistics(attention, 0, 2).entropy - Math.log2(5)) < 1e-6);
    assert.equal(headStatistics(attention, 1, 2).entropy, 0);
  });

  it("gives the mean distance between patches", () => {
    // From each corner of 2 × 2: itself 0, two neighbours 1, the opposite corner √2.
    assert.ok(Math.abs(headStatistics(attention, 0, 2).distance - (2 + Math.SQRT2) / 4) < 1e-6);
    assert.equal(headStatistics(attention, 1, 2).distance, 0);
  });
});

describe("tokenAttention", () => {
  it("gives a row, a column, and the mean over heads", () => {
    const one = { values: Float32Array.of(0.25, 0.75, 1, 0), heads: 1, length: 2 };
    assert.deepEqual([...tokenAttention(one, 0, 0, "from")], [0.25, 0.75]);
    assert.deepEqual([...tokenAttention(one, 0, 0, "to")], [0.25, 1]);
    const mean = tokenAttention(attention, null, 1, "from");
    assert.ok(Math.abs(mean[1]! - 0.6) < 1e-6 && Math.abs(mean[0]! - 0.1) < 1e-6);
  });
});
