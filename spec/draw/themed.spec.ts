import assert from "node:assert/strict";
import { barsChart } from "../../lib/draw/charts/bars-chart.ts";
import { confusionChart } from "../../lib/draw/charts/confusion-chart.ts";
import { themed } from "../../lib/draw/themed.ts";

describe("themed", () => {
  it("replaces the background and the fixed colours of charts", () => {
    const chart = barsChart([{ label: "a", value: 0.5, mark: 0.4 }], {
      title: "T",
      names: { bars: "b", marks: "m" },
    });
    const page = themed(chart, "x");
    assert.match(chart, /width="100%" height="100%" fill="#ffffff"/);
    assert.doesNotMatch(page, /"#[\da-f]{6}"/);
    for (const name of ["ink", "strong", "faint"]) assert.match(page, new RegExp(`"var\\(--${name}, #`));
  });

  it("makes ids unique, and keeps the colours of cells", async () => {
    const matrix = { classes: [{ examples: 1, recall: 1, precision: 1 }], confusion: [new Map([[0, 1]])] };
    const page = themed(await confusionChart(["a"], matrix), "m0");
    assert.match(page, /id="m0-share"/);
    assert.match(page, /url\(#m0-share\)/);
    assert.match(page, /fill="#fde725"/, "the yellow of 100 %");
  });
});
