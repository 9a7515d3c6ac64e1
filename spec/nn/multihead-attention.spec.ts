import { tensor3d, tensor4d } from "@tensorflow/tfjs-core";
import { MultiheadAttention } from "../../lib/nn/multihead-attention.ts";
import { maskedScore } from "../../lib/nn/scaled-dot-product-attention.ts";
import { assertValues, tapsOf, withLayer } from "../support/layers.ts";

const ln3 = Math.log(3);

/**
 * Two heads of width 1, for the tokens [1, 0] and [0, 1].
 *
 * Head 1: queries ln 3 and 0, keys 0 and 1, values 0 and 4, so the scores are [[0, ln 3], [0, 0]], the probabilities
 * [[¼, ¾], [½, ½]] and the context 3 and 2. Head 2: all scores are 0 and the values are 8 and 0, so the context is 4
 * for both.
 */
const weights = {
  in_proj_weight: [
    ...[[ln3, 0], [0, 0]], // query
    ...[[0, 1], [0, 0]], // key
    ...[[0, 4], [8, 0]], // value
  ], // prettier-ignore
  in_proj_bias: [0, 0, 0, 0, 0, 0],
  "out_proj.weight": [[1, 0], [1, 1]], // prettier-ignore
  "out_proj.bias": [100, 200],
};
const tokens = [[[1, 0], [0, 1]]]; // prettier-ignore

describe("MultiheadAttention", () => {
  it("projects to queries, keys and values, attends in each head, and projects the heads together", () =>
    withLayer(
      weights,
      (scope) => new MultiheadAttention(scope, 2, 2),
      (layer) => {
        const taps = tapsOf(() => {
          // Context [3, 4] → [3 + 100, 3 + 4 + 200]; [2, 4] → [2 + 100, 2 + 4 + 200].
          assertValues(layer.apply(tensor3d(tokens)), [[[103, 207], [102, 206]]]); // prettier-ignore
        });
        const heads = [[[0.25, 0.75], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]]; // prettier-ignore
        assertValues(taps["#probabilities"]!, [heads]);
        assertValues(taps["#query"]!, [[[ln3, 0], [0, 0]]]); // prettier-ignore
        assertValues(taps["#key"]!, [[[0, 0], [1, 0]]]); // prettier-ignore
        assertValues(taps["#value"]!, [[[0, 8], [4, 0]]]); // prettier-ignore
      },
    ));

  it("adds the biases of queries, keys and values", () =>
    withLayer(
      { ...weights, in_proj_bias: [0, ln3, 0, 0, 10, 0] },
      (scope) => new MultiheadAttention(scope, 2, 2),
      (layer) => {
        // 10 more in each value of head 1. The queries of head 2 are ln 3, but its keys are 0, so that nothing changes.
        assertValues(layer.apply(tensor3d(tokens)), [[[113, 217], [112, 216]]]); // prettier-ignore
      },
    ));

  it("adds the mask to the scores", () =>
    withLayer(
      weights,
      (scope) => new MultiheadAttention(scope, 2, 2),
      (layer) => {
        const mask = tensor4d([0, maskedScore, 0, 0], [1, 1, 2, 2]); // causal
        // Token 1 attends to itself only: the context is its values, [0, 8].
        assertValues(layer.apply(tensor3d(tokens), mask), [[[100, 208], [102, 206]]]); // prettier-ignore
      },
    ));
});
