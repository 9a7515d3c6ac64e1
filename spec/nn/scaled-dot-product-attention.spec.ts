import { tensor3d, tensor4d } from "@tensorflow/tfjs-core";
import { maskedScore, scaledDotProductAttention } from "../../lib/nn/scaled-dot-product-attention.ts";
import { assertValues, tapsOf, withLayer } from "../support/layers.ts";

const ln3 = Math.log(3);

/** Two tokens, one head of width 1. The scores are [[0, ln 3], [0, 0]], because the first query is ln 3 and the second key is 1. */
const query = [[[ln3], [0]]];
const key = [[[0], [1]]];
const value = [[[0], [4]]];

describe("scaledDotProductAttention", () => {
  it("gives each query the mean of the values, weighted by the softmax of its scores", () =>
    withLayer(
      {},
      (scope) => scope.at("self"),
      (scope) => {
        const taps = tapsOf(() => {
          const [q, k, v] = [tensor3d(query), tensor3d(key), tensor3d(value)];
          // Query 1: e⁰ : e^ln 3 = 1 : 3, so ¼ · 0 + ¾ · 4 = 3. Query 2 has equal scores: ½ · 0 + ½ · 4 = 2.
          assertValues(scaledDotProductAttention(scope, 1, q, k, v), [[[3], [2]]]);
        });
        assertValues(taps["self#probabilities"]!, [[[[0.25, 0.75], [0.5, 0.5]]]]); // prettier-ignore
      },
    ));

  it("divides the scores by the square root of a head's width", () =>
    withLayer(
      {},
      (scope) => scope,
      (scope) => {
        // One head of width 4: the score 2 ln 3 is divided by √4.
        const q = tensor3d([[[2 * ln3, 0, 0, 0], [0, 0, 0, 0]]]); // prettier-ignore
        const k = tensor3d([[[0, 0, 0, 0], [1, 0, 0, 0]]]); // prettier-ignore
        const v = tensor3d([[[0, 0, 0, 0], [4, 0, 0, 8]]]); // prettier-ignore
        const expected = [[[3, 0, 0, 6], [2, 0, 0, 4]]]; // prettier-ignore
        assertValues(scaledDotProductAttention(scope, 1, q, k, v), expected);
      },
    ));

  it("keeps heads apart", () =>
    withLayer(
      {},
      (scope) => scope,
      (scope) => {
        // Head 1 is the example above; in head 2 all scores are 0, so both queries get the mean of 10 and 30.
        const q = tensor3d([[[ln3, 0], [0, 0]]]); // prettier-ignore
        const k = tensor3d([[[0, 7], [1, 7]]]); // prettier-ignore
        const v = tensor3d([[[0, 10], [4, 30]]]); // prettier-ignore
        assertValues(scaledDotProductAttention(scope, 2, q, k, v), [[[3, 20], [2, 20]]]); // prettier-ignore
      },
    ));

  it("gives a masked key the probability 0", () =>
    withLayer(
      {},
      (scope) => scope,
      (scope) => {
        const [q, k, v] = [tensor3d(query), tensor3d(key), tensor3d([[[5], [4]]])];
        const mask = tensor4d([0, maskedScore], [1, 1, 1, 2]); // no token attends to the second one
        assertValues(scaledDotProductAttention(scope, 1, q, k, v, mask), [[[5], [5]]]);
      },
    ));

  it("stays finite for a query whose keys are all masked", () =>
    withLayer(
      {},
      (scope) => scope,
      (scope) => {
        const [q, k, v] = [tensor3d(query), tensor3d(key), tensor3d(value)];
        // −1e9 swallows a score of ln 3 in float32, so that all keys are equal.
        const mask = tensor4d([maskedScore, maskedScore], [1, 1, 1, 2]);
        assertValues(scaledDotProductAttention(scope, 1, q, k, v, mask), [[[2], [2]]]);
      },
    ));
});
