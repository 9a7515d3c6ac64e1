import { strict as assert } from "node:assert";
import { TokenBatch, type TokenRules } from "../../../lib/clip/text/token-batch.ts";

/** XLM-RoBERTa's rules, with any padding id and number of positions. */
function rules(padId: number, maxTokens = 77): TokenRules {
  return {
    padId,
    maxTokens,
    isToken: (row) => row.map((id) => id !== padId),
    readOutPosition: () => 0,
  };
}

describe("TokenBatch", () => {
  it("pads all rows to the longest one", () => {
    const batch = new TokenBatch(
      [
        [0, 7, 8, 2, 1, 1],
        [0, 2],
        [0, 1, 9, 2], // padding inside a row stays
      ],
      rules(1),
    );
    const { tokens, mask } = batch;
    assert.deepEqual(tokens.shape, [3, 4]);
    assert.deepEqual([...tokens.ids], [0, 7, 8, 2, 0, 2, 1, 1, 0, 1, 9, 2]);
    assert.deepEqual([...mask], [1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1]);
  });

  it("pads with the id of its rules", () => {
    const { tokens } = new TokenBatch([[3, 4], [3]], rules(5));
    assert.deepEqual([...tokens.ids], [3, 4, 3, 5]);
  });

  it("refuses a row without tokens, and a row with more tokens than positions", () => {
    assert.throws(() => new TokenBatch([[3], [1, 1]], rules(1)), /row 1 of the token ids has no token/);
    assert.throws(
      () =>
        new TokenBatch(
          [
            [3, 4, 5, 1, 1],
            [3, 4],
          ],
          rules(1, 2),
        ),
      /row 0 of the token ids has 3 tokens, the text network has positions for 2; shorten the text/,
    );
    assert.deepEqual(new TokenBatch([[3, 4, 1, 1, 1]], rules(1, 2)).tokens.shape, [1, 2]);
  });
});
