import { strict as assert } from "node:assert";
import { statistics } from "../../lib/tensor/statistics.ts";

describe("statistics", () => {
  it("gives the figures worked out by hand", () => {
    // Mean 1, squared distances 1, 1, 9, 1, 4.
    const { mean, std, norm, kurtosis, zeros } = statistics([0, 0, 4, 2, -1]);
    assert.equal(mean, 1);
    assert.ok(Math.abs(std - Math.sqrt(16 / 5)) < 1e-12);
    assert.ok(Math.abs(norm - Math.sqrt(21)) < 1e-12);
    assert.ok(Math.abs(kurtosis - 100 / 5 / (16 / 5) ** 2) < 1e-12);
    assert.equal(zeros, 0.4);
  });

  it("does not cancel far from zero", () => {
    const { std } = statistics([1e8 + 1, 1e8 - 1]);
    assert.equal(std, 1);
  });

  it("knows no kurtosis where nothing varies", () => {
    assert.ok(Number.isNaN(statistics([3, 3]).kurtosis));
  });
});
