import assert from "node:assert/strict";
import fc from "fast-check";
import { position, scaleOf, shortNumber, signedScaleOf } from "../../lib/draw/scale.ts";

describe("scales", () => {
  it("span all numbers of all lists, and lie around 0 where the sign matters", () => {
    assert.deepEqual(scaleOf([2, 5], Float32Array.of(3, -1)), { low: -1, high: 5 });
    assert.deepEqual(scaleOf([]), { low: 0, high: 0 });
    assert.deepEqual(signedScaleOf([2, -5]), { low: -5, high: 5 });
  });

  it("position: 0 at the low end, 1 at the high end, and nothing beyond", () => {
    const scale = { low: 2, high: 4 };
    assert.deepEqual(
      [1, 2, 3, 4, 9].map((value) => position(value, scale)),
      [0, 0, 0.5, 1, 1],
    );
    assert.equal(position(5, { low: 5, high: 5 }), 0);
  });

  it("shortNumber has three significant digits", () => {
    assert.deepEqual([0, 1, 0.03125, -12.345, 1e-5, 123456, NaN].map(shortNumber), [
      ...["0", "1", "0.0313", "-12.3", "1.0e-5", "1.2e+5", "NaN"],
    ]);
    fc.assert(
      fc.property(fc.double({ min: -1e4, max: 1e4, noNaN: true }), (value) => {
        const shown = Number(shortNumber(value));
        assert.ok(Math.abs(shown - value) <= 0.051 * Math.abs(value) + 1e-300, `${value} as ${shown}`);
      }),
    );
  });
});
