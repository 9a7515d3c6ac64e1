import { tensor2d } from "@tensorflow/tfjs-core";
import { MlpProjection } from "../../../../lib/clip/text/xlm-roberta/projection.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

describe("MlpProjection", () => {
  // Python's (d_model + output_dim) // 2: the hidden width is ⌊(2 + 3) / 2⌋ = 2.
  it("is two linear layers without biases, with GELU in between", () =>
    withLayer(
      { "0.weight": [[1, 0], [1, -1]], "2.weight": [[1, 0], [0, 1], [10, 10]] }, // prettier-ignore
      (scope) => new MlpProjection(scope, 2, 3),
      (projection) => {
        // [1, 2] → [1, −1] → GELU → [a, b] → [a, b, 10 (a + b)]
        const [a, b] = [0.8413447, -0.1586553];
        assertValues(projection.apply(tensor2d([[1, 2]])), [[a, b, 10 * (a + b)]]);
      },
    ));
});
