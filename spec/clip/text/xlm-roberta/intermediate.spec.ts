import { tensor3d } from "@tensorflow/tfjs-core";
import { XlmRobertaIntermediate } from "../../../../lib/clip/text/xlm-roberta/intermediate.ts";
import { exampleRoberta } from "../../../support/example-config.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

describe("XlmRobertaIntermediate", () => {
  it("expands to the width of the MLP and applies GELU", () =>
    withLayer(
      { "dense.weight": [[1, 0], [0, -1], [1, 1]], "dense.bias": [0, 0, -2] }, // prettier-ignore
      (scope) => new XlmRobertaIntermediate(scope, { ...exampleRoberta, mlpWidth: 3 }),
      (layer) => {
        // dense: [1, −1, 0]
        assertValues(layer.apply(tensor3d([[[1, 1]]])), [[[0.8413447, -0.1586553, 0]]]);
      },
    ));
});
