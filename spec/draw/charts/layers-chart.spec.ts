import assert from "node:assert/strict";
import { layersChart } from "../../../lib/draw/charts/layers-chart.ts";

describe("layersChart", () => {
  it("draws a point for each layer, and names the axes and curves", () => {
    const accuracies = [0.52, 0.9, 0.8];
    const chart = layersChart(
      accuracies.map((acc1, i) => ({
        tap: `layer.${i}`,
        C: 1,
        converged: true,
        trainingAccuracy: 1,
        acc1,
        acc5: null,
        meanPerClassRecall: acc1,
      })),
    );
    // From 50 % at y = 370 to 100 % at y = 50.
    const heights = [...chart.matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y));
    assert.deepEqual(heights, [50, 50, 50, 357.2, 114, 178]);
    assert.match(chart, /<title>layer\.0: 52\.0%<\/title>/);
    for (const text of ["accuracy (%)", "test images", "training images", "0", "1", "emb", "50%", "100%"]) {
      assert.ok(chart.includes(`>${text}<`), text);
    }
  });
});
