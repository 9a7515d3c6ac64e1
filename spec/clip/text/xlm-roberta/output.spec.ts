import { tensor3d } from "@tensorflow/tfjs-core";
import { XlmRobertaOutput } from "../../../../lib/clip/text/xlm-roberta/output.ts";
import { exampleRoberta } from "../../../support/example-config.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

describe("XlmRobertaOutput", () => {
  it("projects, adds the residual, and normalises the sum", () =>
    withLayer(
      {
        "dense.weight": [[1, 1, 1], [0, 0, 1]], // prettier-ignore
        "dense.bias": [0, 1],
        "LayerNorm.weight": [2, 4],
        "LayerNorm.bias": [1, 1],
      },
      (scope) => new XlmRobertaOutput(scope, 3, { ...exampleRoberta, layerNormEpsilon: 3 }),
      (layer) => {
        // dense: [3, 1 + 1]; with the residual [4, 2], whose mean is 3 and variance 1: [1, −1] / √(1 + 3).
        const y = layer.apply(tensor3d([[[1, 1, 1]]]), tensor3d([[[1, 0]]]));
        assertValues(y, [[[2 * 0.5 + 1, 4 * -0.5 + 1]]]);
      },
    ));
});
