import assert from "node:assert/strict";
import { TokenBatch } from "../../../../lib/clip/text/token-batch.ts";
import { positionsOf, XlmRobertaEmbeddings } from "../../../../lib/clip/text/xlm-roberta/embeddings.ts";
import { exampleRoberta } from "../../../support/example-config.ts";
import { exampleEmbedded, exampleEmbeddings } from "../../../support/example-weights.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

function batchOf(rows: number[][], padId = 1): TokenBatch {
  return new TokenBatch(rows, {
    padId,
    maxTokens: 77,
    isToken: (row) => row.map((id) => id !== padId),
    readOutPosition: () => 0,
  });
}

describe("XlmRobertaEmbeddings", () => {
  it("normalises the sum of word, token type and position", () => {
    const batch = batchOf([
      [0, 3, 2],
      [0, 2],
    ]);
    return withLayer(
      exampleEmbeddings,
      (scope) => new XlmRobertaEmbeddings(scope, { ...exampleRoberta, layerNormEpsilon: 15 }),
      (layer) => {
        const { start, word, end, padding } = exampleEmbedded;
        // In the second text, </s> is at position 3: [10, 0] + [1, 0] + [0, 15] = [11, 15], deviation 2.
        const earlyEnd = [-2 / Math.sqrt(19), 2 / Math.sqrt(19)];
        assertValues(layer.apply(batch), [
          [start, word, end],
          [start, earlyEnd, padding],
        ]);
      },
      (layer) => layer.weightsOf(batch),
    );
  });
});

describe("positionsOf", () => {
  it("counts tokens from padId + 1 and gives padding the position padId", () => {
    const { ids, shape } = positionsOf(
      batchOf([
        [0, 7, 8, 2],
        [0, 2],
        [0, 1, 9, 2], // padding inside a row takes no position
      ]),
      1,
    );
    assert.deepEqual(shape, [3, 4]);
    assert.deepEqual([...ids], [2, 3, 4, 5, 2, 3, 1, 1, 2, 1, 3, 4]);
    assert.deepEqual([...positionsOf(batchOf([[3, 4], [3]], 5), 5).ids], [6, 7, 6, 5]);
  });
});
