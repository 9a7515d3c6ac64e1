import { tensor3d } from "@tensorflow/tfjs-core";
import { XlmRobertaPooler } from "../../../../lib/clip/text/xlm-roberta/xlm-roberta-pooler.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

describe("XlmRobertaPooler", () => {
  it("is tanh of a dense layer on the first token", () =>
    withLayer(
      { "dense.weight": [[Math.log(2), 0], [0, 1]], "dense.bias": [0, Math.log(3)] }, // prettier-ignore
      (scope) => new XlmRobertaPooler(scope, 2),
      (pooler) => {
        // [1, 0] → [ln 2, ln 3]. tanh(ln 2) = 0.6, tanh(ln 3) = 0.8.
        assertValues(pooler.apply(tensor3d([[[1, 0], [9, 9]]])), [[0.6, 0.8]]); // prettier-ignore
      },
    ));
});
