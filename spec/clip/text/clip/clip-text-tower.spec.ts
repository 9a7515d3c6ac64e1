import { strict as assert } from "node:assert";
import { tensor3d } from "@tensorflow/tfjs-core";
import { ClipTextTower } from "../../../../lib/clip/text/clip/clip-text-tower.ts";
import { networkOutline } from "../../../../lib/clip/network.ts";
import { maskedScore } from "../../../../lib/nn/scaled-dot-product-attention.ts";
import type { WeightScope } from "../../../../lib/tensor/model-weights.ts";
import { exampleClipText, exampleConfig } from "../../../support/example-config.ts";
import { exampleBlock, under } from "../../../support/example-weights.ts";
import { assertValues, tapsOf, withLayer } from "../../../support/layers.ts";
import { runLoaded } from "../../../../lib/nn/stages.ts";

/** Id 4 ends a text. */
const weights = {
  "token_embedding.weight": [[0, 0], [1, 2], [5, 3], [0, 7], [50, 60]], // prettier-ignore
  positional_embedding: [[0, 1], [10, 0], [-3, 0]], // prettier-ignore
  ...under("transformer.resblocks.0", exampleBlock),
  "ln_final.weight": [2, 3],
  "ln_final.bias": [1, 1],
  text_projection: [[1, 10, 100], [0, 1, 0]], // prettier-ignore
};
const build = (scope: WeightScope): ClipTextTower => new ClipTextTower(scope, exampleClipText, exampleConfig);

describe("ClipTextTower", () => {
  const rows = [[1, 4], [2, 3, 4]]; // prettier-ignore

  it("adds to each token the embedding of its position", () =>
    withLayer(
      weights,
      build,
      (tower) => {
        assertValues(tower.embed(tower.batch(rows)), [
          [[1, 3], [60, 60], [-3, 0]], // padded with id 0
          [[5, 4], [10, 7], [47, 60]],
        ]); // prettier-ignore
      },
      (tower) => tower.embedWeights(tower.batch(rows)),
    ));

  it("masks the tokens that follow each token", () =>
    withLayer(weights, build, (tower) => {
      const hidden = maskedScore;
      const causal = [[0, hidden, hidden], [0, 0, hidden], [0, 0, 0]]; // prettier-ignore
      assertValues(tower.mask(tower.batch(rows)), [[causal]]);
    }));

  it("reads out the normalised end-of-text token of each row, projected", () =>
    withLayer(weights, build, (tower) => {
      const x = tensor3d([[[9, 8], [3, 1], [7, 5]], [[9, 8], [5, 7], [1, 3]]]); // prettier-ignore
      // Row 1 ends at position 1: [3, 1] → [1, −1] → [3, −2]; times text_projection: [3, 30 − 2, 300].
      // Row 2 ends at position 2: [1, 3] → [−1, 1] → [−1, 4].
      assertValues(tower.readOut(x, tower.batch(rows)), [[3, 28, 300], [-1, -6, -100]]); // prettier-ignore
    }));

  it("embeds a text, from ids to embedding", () => {
    const row = [[2, 3, 4]];
    return withLayer(
      weights,
      build,
      (tower) => {
        // The stream is [5, 4], [10, 7], [47, 60], normalised [1, −1], [1, −1], [−1, 1]. The end token attends to all
        // three, whose mean is [⅓, −⅓]: [47⅓, 59⅔] is [−1, 1] normalised, [−1, 4] after ln_final.
        const taps = tapsOf(() => {
          assertValues(runLoaded(tower, tower.batch(row)), [[-1, -6, -100]]);
        });
        assertValues(taps["transformer"]!, [[[6, 3], [11, 6], [47 + 1 / 3, 60 - 1 / 3]]]); // prettier-ignore
      },
      (tower) => tower.embedWeights(tower.batch(row)),
    );
  });
});

describe("a batch of ClipTextTower", () => {
  const { text } = networkOutline(exampleConfig);

  it("ends each row at the first of its largest ids, and is as long as the longest row", () => {
    const { tokens, mask, readOutPositions } = text.batch([
      [1, 4, 3, 4, 0], // the first 4, as torch.argmax
      [2, 3, 4, 0, 0],
    ]);
    assert.deepEqual(readOutPositions, [1, 2]);
    assert.deepEqual(tokens.shape, [2, 3]);
    assert.deepEqual([...tokens.ids], [1, 4, 0, 2, 3, 4]);
    assert.deepEqual([...mask], [1, 1, 0, 1, 1, 1]);
  });

  it("refuses a row without ids", () => {
    assert.throws(() => text.batch([[4], []]), /row 1 of the token ids has no token, expected at least one/);
  });

  it("refuses a row with more tokens than the context", () => {
    assert.throws(
      () => text.batch([[1, 2, 3, 4]]),
      /row 0 of the token ids has 4 tokens, .* positions for 3/,
    );
  });
});
