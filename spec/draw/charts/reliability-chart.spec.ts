import assert from "node:assert/strict";
import { reliabilityChart } from "../../../lib/draw/charts/reliability-chart.ts";
import { evaluation } from "../../support/evaluation.ts";

describe("reliabilityChart", () => {
  it("draws a bar of the accuracy for each bin with examples", () => {
    // One bin: probability e³ / (e³ + 3) = 0.87, and 3 of 4 examples are right: a bar of 3/4 of 360 pixels.
    const chart = reliabilityChart(evaluation(4, 4, 1));
    const bars = [...chart.matchAll(/<rect [^>]*height="([\d.]+)"[^>]*fill-opacity="([\d.]+)"/g)];
    assert.deepEqual(
      bars.map(([, height, opacity]) => [height, opacity]),
      [["270", "1"]],
    );
    assert.match(chart, />16 examples: probability 87%, accuracy 75%</);
    assert.match(chart, />16 examples, calibration error 12\.0%</);
  });
});
