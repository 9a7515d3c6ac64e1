import { tensor3d, tensor4d } from "@tensorflow/tfjs-core";
import { XlmRobertaSelfAttention } from "../../../../lib/clip/text/xlm-roberta/self-attention.ts";
import { maskedScore } from "../../../../lib/nn/scaled-dot-product-attention.ts";
import { exampleRoberta } from "../../../support/example-config.ts";
import { assertValues, tapsOf, withLayer } from "../../../support/layers.ts";

const ln3 = Math.log(3);

/**
 * Two heads of width 1, for the tokens [1, 0] and [0, 1].
 *
 * Head 1: queries ln 3 and 0, keys 0 and 1, values 0 and 4, so the scores are [[0, ln 3], [0, 0]]. Head 2: all queries
 * are 0, values 8 and 0.
 */
const weights = {
  "query.weight": [[ln3, 0], [0, 0]], // prettier-ignore
  "query.bias": [0, 0],
  "key.weight": [[0, 1], [0, 0]], // prettier-ignore
  "key.bias": [0, 7],
  "value.weight": [[0, 4], [8, 0]], // prettier-ignore
  "value.bias": [0, 100],
};

describe("XlmRobertaSelfAttention", () => {
  it("attends in each head, and leaves the output projection to the next layer", () =>
    withLayer(
      weights,
      (scope) => new XlmRobertaSelfAttention(scope, { ...exampleRoberta, heads: 2 }),
      (layer) => {
        const x = tensor3d([[[1, 0], [0, 1]]]); // prettier-ignore
        const taps = tapsOf(() => {
          // Head 1: ¼ · 0 + ¾ · 4 and ½ · 0 + ½ · 4. Head 2: the mean of 108 and 100.
          assertValues(layer.apply(x), [[[3, 104], [2, 104]]]); // prettier-ignore
        });
        assertValues(taps["query"]!, [[[ln3, 0], [0, 0]]]); // prettier-ignore
        assertValues(taps["key"]!, [[[0, 7], [1, 7]]]); // prettier-ignore
        assertValues(taps["value"]!, [[[0, 108], [4, 100]]]); // prettier-ignore
        const probabilities = [[[0.25, 0.75], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]]; // prettier-ignore
        assertValues(taps["#probabilities"]!, [probabilities]);
        const padding = tensor4d([0, maskedScore], [1, 1, 1, 2]); // only the first token is attended to
        assertValues(layer.apply(x, padding), [[[0, 108], [0, 108]]]); // prettier-ignore
      },
    ));
});
