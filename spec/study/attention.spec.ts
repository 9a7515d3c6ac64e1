import { strict as assert } from "node:assert";
import { classAttention, Rollout, type Attention } from "../../lib/study/attention.ts";
import { bilinear, grid, heat, Raster, toUnit } from "../../lib/draw/raster.ts";
import { assertNear } from "../support/near.ts";

/** Three tokens, two heads. */
const layer: Attention = {
  values: Float32Array.of(
    ...[0.2, 0.3, 0.5, 0.1, 0.8, 0.1, 0, 0, 1],
    ...[0.4, 0.5, 0.1, 0.3, 0.4, 0.3, 1, 0, 0],
  ),
  heads: 2,
  length: 3,
};

describe("attention", () => {
  it("of the class token: its row, without itself, of one head or of all", () => {
    assertNear([...classAttention(layer, 0)], [0.3, 0.5], 1e-7);
    assertNear([...classAttention(layer, 1)], [0.5, 0.1], 1e-7);
    assertNear([...classAttention(layer, null)], [0.4, 0.3], 1e-7);
  });

  it("rolls out as (½ A + ½ I) multiplied, the last layer first", () => {
    const rollout = new Rollout();
    assert.throws(() => rollout.classToken(), /no attention/);
    rollout.add(layer);
    // Mean over heads [0.3, 0.4, 0.3], halved, with half of oneself: [0.65, 0.2, 0.15].
    assertNear([...rollout.classToken()], [0.2, 0.15], 1e-7);
    const onlyPatch1 = { values: Float32Array.of(0, 1, 0, 0, 1, 0, 0, 1, 0), heads: 1, length: 3 };
    rollout.add(onlyPatch1);
    // Half of the class token's own row, half of patch 1's: [0.1, 0.8, 0.1].
    assertNear([...rollout.classToken()], [0.1 + 0.4, 0.075 + 0.05], 1e-7);
  });
});

describe("rasters", () => {
  it("colours run from dark to bright", () => {
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

  it("read between points", () => {
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

  it("stand side by side with a gap", () => {
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
