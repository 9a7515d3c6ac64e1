import assert from "node:assert/strict";
import { tensor2d, tidy } from "@tensorflow/tfjs-core";
import { crossEntropy } from "../../lib/train/cross-entropy.ts";

describe("crossEntropy", () => {
  // Probabilities 3/4 and 1/4: the second logit is ln 3 below the first.
  const lossOf = (labels: number[], smoothing?: number): number =>
    tidy(() =>
      crossEntropy(
        tensor2d(
          labels.map(() => [Math.log(3), 0]),
          [labels.length, 2],
        ),
        labels,
        smoothing,
      ).dataSync<"float32">(),
    )[0]!;

  it("is the mean of −log p of the true classes", () => {
    assert.ok(Math.abs(lossOf([0]) - Math.log(4 / 3)) < 1e-6);
    assert.ok(Math.abs(lossOf([0, 1]) - (Math.log(4 / 3) + Math.log(4)) / 2) < 1e-6);
  });

  it("spreads a share of the truth over all classes", () => {
    const expected = 0.9 * Math.log(4 / 3) + 0.1 * Math.log(4); // 1 − 0.2 + 0.2 / 2, and 0.2 / 2
    assert.ok(Math.abs(lossOf([0], 0.2) - expected) < 1e-6);
  });
});
