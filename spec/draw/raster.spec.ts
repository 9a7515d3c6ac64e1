import assert from "node:assert/strict";
import { bilinear, grid, heat, Raster, toUnit } from "../../lib/draw/raster.ts";

describe("Raster", () => {
  it("heat: colours run from dark to bright", () => {
    assert.deepEqual(
      [heat(0), heat(0.5), heat(1)],
      [
        [68, 1, 84],
        [33, 144, 141],
        [253, 231, 37],
      ],
    );
    assert.deepEqual([heat(-1), heat(2)], [heat(0), heat(1)]);
  });

  it("bilinear interpolates, toUnit rescales", () => {
    const values = [0, 1, 2, 3];
    assert.equal(bilinear(values, 2, 2, 0.5, 0.5), 1.5);
    assert.equal(bilinear(values, 2, 2, -3, 9), 2);
    assert.deepEqual(
      [toUnit([2, 4, 3]), toUnit([5, 5])],
      [
        [0, 1, 0.5],
        [0, 0],
      ],
    );
  });

  it("grid arranges images with a gap", () => {
    const sheet = grid([new Raster(2, 1, 0), new Raster(2, 1, 9), new Raster(2, 1, 7)], 2, 1);
    assert.deepEqual([sheet.width, sheet.height], [5, 3]);
    const grays = [0, 1, 2, 3, 4].map((x) => [sheet.at(x, 0)[0], sheet.at(x, 2)[0]]);
    assert.deepEqual(grays, [
      [0, 7],
      [0, 7],
      [255, 255],
      [9, 255],
      [9, 255],
    ]);
    assert.deepEqual(sheet.enlarged(2).at(3, 1), [0, 0, 0]);
  });
});
