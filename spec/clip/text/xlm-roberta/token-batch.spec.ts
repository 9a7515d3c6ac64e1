import { strict as assert } from "node:assert";
import { TokenBatch } from "../../../../lib/clip/text/xlm-roberta/token-batch.ts";

describe("TokenBatch", () => {
  it("is as long as its longest row, with RoBERTa's positions: padId + 1 first, padId at padding", () => {
    const { tokens, mask, positions } = new TokenBatch(
      [
        [0, 7, 8, 2, 1, 1],
        [0, 2],
        [0, 1, 9, 2], // padding inside counts for no position
      ],
      1,
    );
    assert.deepEqual(
      [tokens.shape, positions.shape],
      [
        [3, 4],
        [3, 4],
      ],
    );
    assert.deepEqual([...tokens.ids], [0, 7, 8, 2, 0, 2, 1, 1, 0, 1, 9, 2]);
    assert.deepEqual([...mask], [1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1]);
    assert.deepEqual([...positions.ids], [2, 3, 4, 5, 2, 3, 1, 1, 2, 1, 3, 4]);
  });

  it("follows another padding id", () => {
    const { tokens, positions } = new TokenBatch([[3, 4], [3]], 5);
    assert.deepEqual([...tokens.ids], [3, 4, 3, 5]);
    assert.deepEqual([...positions.ids], [6, 7, 6, 5]);
  });
});
