import assert from "node:assert/strict";
import fc from "fast-check";
import {
  colorTable,
  diverging,
  grid,
  heat,
  heatMap,
  Raster,
  samplesAlong,
  stacked,
  tableSize,
} from "../../lib/draw/raster.ts";

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

  it("diverging: blue below the middle, white in it, orange above", () => {
    assert.deepEqual(
      [diverging(0), diverging(0.5), diverging(1)],
      [
        [33, 102, 172],
        [255, 255, 255],
        [217, 95, 2],
      ],
    );
  });

  it("heatMap draws numbers by a scale", () => {
    const map = heatMap([2, 4, 3, 9], [2, 2], { low: 2, high: 4 });
    assert.deepEqual([map.width, map.height], [2, 2]);
    const colors = [map.at(0, 0), map.at(1, 0), map.at(0, 1), map.at(1, 1)];
    assert.deepEqual(colors, [heat(0), heat(1), heat(0.5), heat(1)]);
  });

  it("stacked puts images below each other, on white", () => {
    const sheet = stacked([new Raster(2, 1, 0), new Raster(3, 2, 9)]);
    assert.deepEqual([sheet.width, sheet.height], [3, 3]);
    assert.deepEqual([sheet.at(1, 0)[0], sheet.at(2, 0)[0], sheet.at(2, 2)[0]], [0, 255, 9]);
  });

  it("samplesAlong interpolates between the centres of cells, and not beyond them", () => {
    assert.deepEqual(samplesAlong(4, 2), [
      { from: 0, to: 1, share: 0 },
      { from: 0, to: 1, share: 0.25 },
      { from: 0, to: 1, share: 0.75 },
      { from: 1, to: 1, share: 0 },
    ]);
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

  it("keeps a map's colours as a table that is finer than a level of 255", () => {
    for (const map of [heat, diverging]) {
      const table = colorTable(map);
      assert.equal(colorTable(map), table);
      fc.assert(
        fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (unit) => {
          const at = 3 * Math.round(unit * (tableSize - 1));
          for (const [i, channel] of map(unit).entries()) assert.ok(Math.abs(table[at + i]! - channel) < 0.5);
        }),
      );
    }
  });
});
