import { strict as assert } from "node:assert";
import { compare, unravel } from "../../lib/tensor/compare.ts";

describe("compare", () => {
  it("gives the figures worked out by hand", () => {
    // Errors 0, 0, 5; ‖reference‖ = √(9 + 16 + 144) = 13; ours · reference = 9 + 16 + 84 = 109, ‖ours‖² = 74.
    const { relativeL2, maxAbs, cosine, worstIndex } = compare([3, 4, 7], [3, 4, 12]);
    assert.equal(relativeL2, 5 / 13);
    assert.equal(maxAbs, 5);
    assert.equal(worstIndex, 2);
    assert.ok(Math.abs(cosine - 109 / (13 * Math.sqrt(74))) < 1e-15);
  });

  it("treats zeros as equal to zeros, and as infinitely far from anything else", () => {
    assert.deepEqual(compare([0, 0], [0, 0]), { relativeL2: 0, maxAbs: 0, cosine: 1, worstIndex: 0 });
    assert.equal(compare([1, 0], [0, 0]).relativeL2, Infinity);
  });

  it("fails NaN and infinity at any tolerance", () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const { relativeL2, maxAbs, worstIndex } of [
        compare([1, bad, 9], [1, 2, 3]),
        compare([1, 2, 9], [1, bad, 3]),
      ]) {
        assert.ok(!(relativeL2 <= 1e9));
        assert.ok(!(maxAbs <= 1e9));
        assert.equal(worstIndex, 1);
      }
    }
  });

  it("refuses different lengths", () => {
    assert.throws(() => compare([1], [1, 2]), RangeError);
  });

  it("unravels flat positions", () => {
    assert.deepEqual(unravel(5, [2, 3]), [1, 2]);
    assert.deepEqual(unravel(0, []), []);
    assert.deepEqual(unravel(23, [2, 3, 4]), [1, 2, 3]);
  });
});
