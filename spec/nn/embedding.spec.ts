import assert from "node:assert/strict";
import { Embedding, type IdGrid } from "../../lib/nn/embedding.ts";
import { assertValues, buildOn, withLayer } from "../support/layers.ts";

const weight = [
  [0, 1],
  [10, 11],
  [20, 21],
  [30, 31],
];
const grid: IdGrid = { ids: Int32Array.of(2, 0, 2, 3), shape: [2, 2] };

describe("Embedding", () => {
  it("gives each id its row of the table", () =>
    withLayer(
      { weight },
      (scope) => new Embedding(scope, 4, 2),
      (layer) => {
        const expected = [[[20, 21], [0, 1]], [[20, 21], [30, 31]]]; // prettier-ignore
        assertValues(layer.apply(grid), expected);
      },
      (layer) => [layer.rowsOf(grid)],
    ));

  it("loads the rows of the given ids and no others", async () => {
    const { layer, weights } = buildOn({ weight }, (scope) => new Embedding(scope, 4, 2));
    const rows = layer.rowsOf(grid);
    await rows.load();
    assertValues(layer.weight.rows, [[0, 1], [20, 21], [30, 31]]); // prettier-ignore
    assert.throws(() => layer.apply({ ids: Int32Array.of(1), shape: [1, 1] }), /row 1 is not loaded/);
    rows.release();
    assert.equal(layer.weight.isLoaded, false);
    weights.dispose();
  });
});
