import assert from "node:assert/strict";
import { rangeOf, withCaption, withLegend } from "../../lib/study/legend.ts";
import { heat, Raster } from "../../lib/draw/raster.ts";
import { rasterText } from "../../lib/draw/raster-text.ts";

/** The rows of an image from `top` on. */
function below({ width, rgb }: Raster, top: number): Uint8ClampedArray {
  return rgb.subarray(top * width * 3);
}

describe("legends", () => {
  it("show the colours with the numbers at their ends, and say what is shown", () => {
    const image = new Raster(300, 10, 7);
    const shown = withLegend(image, { quantity: "cosine", scale: { low: -0.5, high: 2 } });
    assert.equal(shown.width, 300);
    assert.deepEqual(below(shown, 0).subarray(0, image.rgb.length), image.rgb);
    assert.deepEqual(
      [shown.at(0, 15), shown.at(299, 15)],
      [heat(0), heat(1)].map((c) => c.map(Math.round)),
    );
    const other = withLegend(image, { quantity: "cosine", scale: { low: -0.5, high: 3 } });
    assert.notDeepEqual(shown.rgb, other.rgb);
    assert.deepEqual(
      below(shown, shown.height - rasterText("cosine", 300).height),
      rasterText("cosine", 300).rgb,
    );
  });

  it("say if each map has its own range", () => {
    const quantity = "share";
    const shown = withLegend(new Raster(400, 1), { quantity, scale: null });
    const text = rasterText("share; each map has its own range", 400);
    assert.deepEqual(below(shown, shown.height - text.height), text.rgb);
  });

  it("are wide enough to read below a small image", () => {
    assert.equal(withLegend(new Raster(3, 3), { quantity: "a", scale: null }).width, 240);
    assert.equal(withCaption(new Raster(90, 3), "head 0").width, 90);
    assert.equal(rangeOf({ low: 0.00012345, high: 12 }), "1.2e-4 to 12");
  });
});
