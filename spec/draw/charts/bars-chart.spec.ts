import assert from "node:assert/strict";
import { barsChart } from "../../../lib/draw/charts/bars-chart.ts";

describe("barsChart", () => {
  const names = { bars: "this run", marks: "published" };

  it("draws bars in proportion, with marks across them, and names both", () => {
    const chart = barsChart(
      [
        { label: "a", value: 0.5, mark: 0.75 },
        { label: "<b>", value: 1 },
      ],
      { title: "Figures", names },
    );
    const bars = [...chart.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="14"/g)];
    assert.deepEqual(
      bars.map(([, , width]) => Number(width)),
      [210, 420],
    );
    const left = Number(bars[0]![1]);
    const mark = /<line x1="([\d.]+)" x2="([\d.]+)" y1="37" y2="57"/.exec(chart);
    assert.deepEqual([Number(mark![1]), Number(mark![2])], [left + 315, left + 315]);
    assert.match(chart, /<title>a: 50\.0%, 75\.0%<\/title>/);
    for (const text of ["50.0%", "100.0%", "this run", "published", "Figures"]) {
      assert.ok(chart.includes(`>${text}<`), text);
    }
    assert.ok(!chart.includes("<b>"));
  });

  it("has no legend without marks", () => {
    assert.ok(!barsChart([{ label: "a", value: 0.5 }], { title: "Figures", names }).includes("published"));
  });
});
