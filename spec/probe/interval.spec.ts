import assert from "node:assert/strict";
import { meanInterval, studentQuantile } from "../../lib/probe/interval.ts";
import { assertNear } from "../support/near.ts";

describe("confidence intervals", () => {
  it("use Student's quantiles", () => {
    // scipy.stats.t.ppf(0.975, [1, 2, 3, 4, 9, 30, 999])
    const expected = [12.706205, 4.302653, 3.182446, 2.776445, 2.262157, 2.042272, 1.962341];
    assertNear([1, 2, 3, 4, 9, 30, 999].map(studentQuantile), expected, 1e-5);
  });

  it("are mean ± t · s / √n for independent values", () => {
    // s = 1, n = 3
    const { mean, half } = meanInterval([1, 2, 3]);
    assert.equal(mean, 2);
    assertNear([half], [4.302653 / Math.sqrt(3)], 1e-5);
  });

  it("are wider for folds, which share training rows", () => {
    const values = [1, 2, 3];
    const ratio = meanInterval(values, 1 / 3).half / meanInterval(values).half;
    assertNear([ratio], [Math.sqrt((1 / 3 + 1 / 2) / (1 / 3))], 1e-9);
  });

  it("need two values", () => {
    assert.throws(() => meanInterval([1]), /expected two values or more for an interval, got 1/);
  });
});
