import { tensor1d, tensor3d } from "@tensorflow/tfjs-core";
import type { Rank } from "@tensorflow/tfjs-core";
import { Linear } from "../../lib/nn/linear.ts";
import { assertValues, withLayer } from "../support/layers.ts";

// Three outputs of two inputs.
const weight = [
  [1, 2],
  [3, 4],
  [5, 6],
];

describe("Linear", () => {
  it("multiplies each row of the weight with the input and adds the bias", () =>
    withLayer(
      { weight, bias: [10, 20, 30] },
      (scope) => new Linear(scope, 2, 3, { bias: true }),
      (layer) => {
        const x = tensor3d([[[1, -1]], [[0, 2]]]); // [2, 1, 2]
        // [1, −1]: 1 − 2 + 10, 3 − 4 + 20, 5 − 6 + 30. [0, 2]: 4 + 10, 8 + 20, 12 + 30.
        assertValues(layer.apply(x), [[[9, 19, 29]], [[14, 28, 42]]]);
      },
    ));

  it("leaves out the bias on request", () =>
    withLayer(
      { weight },
      (scope) => new Linear<Rank.R1>(scope, 2, 3, { bias: false }),
      (layer) => {
        assertValues(layer.apply(tensor1d([1, -1])), [-1, -1, -1]);
      },
    ));
});
