import assert from "node:assert/strict";
import { fromDecorrelated, toDecorrelated } from "../../lib/guide/colour.ts";

describe("decorrelated colours", () => {
  it("are lucent's, whose largest column has the norm 1, and can be inverted", () => {
    assert.ok(Math.abs(fromDecorrelated[0]![0]! - 0.26 / Math.sqrt(0.26 ** 2 + 2 * 0.27 ** 2)) < 1e-12);
    for (const r of [0, 1, 2]) {
      for (const c of [0, 1, 2]) {
        const product = [0, 1, 2].reduce(
          (sum, k) => sum + fromDecorrelated[r]![k]! * toDecorrelated[k]![c]!,
          0,
        );
        assert.ok(Math.abs(product - (r === c ? 1 : 0)) < 1e-12);
      }
    }
  });
});
