import assert from "node:assert/strict";
import { Jimp } from "jimp";
import { confusionChart } from "../../../lib/draw/charts/confusion-chart.ts";
import { evaluation } from "../../support/evaluation.ts";

const named = (count: number): string[] => Array.from({ length: count }, (_, c) => `class ${c}`);

describe("confusionChart", () => {
  it("draws a cell for each confusion, with its share and a tooltip", async () => {
    const chart = await confusionChart(["cat & co", "猫", "قطة", "été"], evaluation(4, 4, 1));
    const titles = [...chart.matchAll(/<title>(.*?)<\/title>/g)].map(([, title]) => title);
    assert.deepEqual(titles.slice(0, 3), [
      "Confusion matrix of 4 classes",
      "cat &amp; co classified as cat &amp; co: 3 of 4",
      "cat &amp; co classified as 猫: 1 of 4",
    ]);
    assert.equal(titles.length, 1 + 2 * 4);
    assert.equal([...chart.matchAll(/>75%</g)].length, 4);
    assert.equal([...chart.matchAll(/>25%</g)].length, 4);
    for (const name of ["猫", "قطة", "été"])
      assert.equal(chart.split(`>\u2068${name}\u2069<`).length, 3, name);
  });

  it("replaces names with numbers for more than 120 classes", async () => {
    assert.match(await confusionChart(named(120), evaluation(120, 2, 0)), />\u2068class 119\u2069</);
    const chart = await confusionChart(named(121), evaluation(121, 2, 0));
    assert.doesNotMatch(chart, /class 119/);
    assert.match(chart, />120</);
  });

  it("embeds the cells of many classes as an image", async () => {
    const chart = await confusionChart(named(300), evaluation(300, 4, 1));
    const [, width = "", png = ""] = /<image .*width="(\d+)" .*base64,([^"]+)"/.exec(chart) ?? [];
    const image = await Jimp.read(Buffer.from(png, "base64"));
    assert.deepEqual([Number(width), image.bitmap.width], [900, 900]);
    const pixel = (x: number, y: number): number => image.getPixelColor(x, y);
    assert.equal(pixel(1, 1), pixel(898, 898)); // both right in 3 of 4
    assert.notEqual(pixel(1, 1), pixel(4, 1));
    assert.equal(pixel(4, 1), pixel(1, 898)); // both 1 of 4
    assert.ok(chart.length < 100_000);
  });
});
