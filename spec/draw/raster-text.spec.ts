import assert from "node:assert/strict";
import { drawLine, lineHeight, rasterText, rasterTextWidth } from "../../lib/draw/raster-text.ts";
import { Raster } from "../../lib/draw/raster.ts";

/** The letter pixels of an image, one for each square of two by two. */
function shown(image: Raster): string[] {
  return Array.from({ length: image.height / 2 }, (_, y) =>
    Array.from({ length: image.width / 2 }, (_, x) => (image.at(2 * x, 2 * y)[0] === 0 ? "#" : ".")).join(""),
  );
}

describe("text on raster images", () => {
  it("is legible", () => {
    const image = new Raster(22, 16);
    drawLine(image, "4a", 0, 0);
    assert.deepEqual(shown(image), [
      "...#.......",
      "..##.......",
      ".#.#...###.",
      "#..#......#",
      "#####..####",
      "...#..#...#",
      "...#...####",
      "...........",
    ]);
  });

  it("is broken at spaces to fit, and cut where a word does not fit", () => {
    const width = rasterTextWidth("low high");
    assert.equal(rasterText("low high", width).height, lineHeight);
    assert.ok(rasterText("low high", width - 1).height > lineHeight);
    assert.equal(rasterText("unbreakable", 20).width, 20);
  });

  it("shows ? for other characters", () => {
    assert.deepEqual(rasterText("\u{e9}", 40).rgb, rasterText("?", 40).rgb);
  });
});
