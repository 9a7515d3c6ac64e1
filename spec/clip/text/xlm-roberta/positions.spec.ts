import assert from "node:assert/strict";
import { positionsAfterPadding, positionsFromZero } from "../../../../lib/clip/text/xlm-roberta/positions.ts";
import { paddedBatch } from "../../../support/padded-batch.ts";

const rows = [
  [0, 7, 8, 2],
  [0, 2],
  [0, 1, 9, 2], // padding inside a row
];

describe("positionsAfterPadding", () => {
  it("counts tokens from padId + 1 and gives padding the position padId", () => {
    const { ids, shape } = positionsAfterPadding.idsOf(paddedBatch(rows), 1);
    assert.deepEqual(shape, [3, 4]);
    assert.deepEqual([...ids], [2, 3, 4, 5, 2, 3, 1, 1, 2, 1, 3, 4]);
    assert.deepEqual([...positionsAfterPadding.idsOf(paddedBatch([[3, 4], [3]], 5), 5).ids], [6, 7, 6, 5]);
  });

  it("has padId + 1 positions fewer than its table has rows", () => {
    assert.equal(positionsAfterPadding.maxTokens(514, 1), 512);
  });
});

describe("positionsFromZero", () => {
  it("numbers columns, which are the same for all texts, padding included", () => {
    const { ids, shape } = positionsFromZero.idsOf(paddedBatch(rows), 1);
    assert.deepEqual(shape, [1, 4]);
    assert.deepEqual([...ids], [0, 1, 2, 3]);
  });

  it("has a position for each row of its table", () => {
    assert.equal(positionsFromZero.maxTokens(512, 0), 512);
  });
});
