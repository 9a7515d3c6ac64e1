import { tensor3d, tensor4d } from "@tensorflow/tfjs-core";
import { XlmRobertaLayer } from "../../../../lib/clip/text/xlm-roberta/layer.ts";
import { maskedScore } from "../../../../lib/nn/scaled-dot-product-attention.ts";
import { exampleRoberta } from "../../../support/example-config.ts";
import { exampleRobertaLayer } from "../../../support/example-weights.ts";
import { assertValues, tapsOf, withLayer } from "../../../support/layers.ts";

describe("XlmRobertaLayer", () => {
  it("normalises after attention, and again after the MLP", () =>
    withLayer(
      {
        ...exampleRobertaLayer,
        "intermediate.dense.weight": [[0, 1.5], [0, -1.5]], // prettier-ignore
        "output.dense.weight": [[1, -1], [0, 0]], // prettier-ignore
        "output.dense.bias": [2 / 3, 13 / 3],
      },
      (scope) => new XlmRobertaLayer(scope, { ...exampleRoberta, layerNormEpsilon: 5 }),
      (layer) => {
        const taps = tapsOf(() => {
          // Attention: [−⅔, ⅔], as in attention.spec.ts. Intermediate: GELU([1, −1]), whose difference is 1, because
          // GELU(x) − GELU(−x) = x. Output: [1, 0] + bias + [−⅔, ⅔] = [1, 5], variance 4; [−2, 2] / √(4 + 5).
          assertValues(layer.apply(tensor3d([[[1, 3]]])), [[[-2 / 3, 2 / 3]]]);
        });
        assertValues(taps["attention"]!, [[[-2 / 3, 2 / 3]]]);
        assertValues(taps["intermediate"]!, [[[0.8413447, -0.1586553]]]);
        assertValues(taps["output.dense"]!, [[[1 + 2 / 3, 13 / 3]]]);
      },
    ));

  it("lets attention ignore masked tokens", () =>
    withLayer(
      exampleRobertaLayer,
      (scope) => new XlmRobertaLayer(scope, { ...exampleRoberta, layerNormEpsilon: 5 }),
      (layer) => {
        const x = tensor3d([[[1, 3], [70, 50]]]); // prettier-ignore
        const mask = tensor4d([0, maskedScore], [1, 1, 1, 2]);
        const taps = tapsOf(() => layer.apply(x, mask));
        // [1, 3] + [1, 3] and [70, 50] + [1, 3] = [71, 53], variance 81.
        const second = 9 / Math.sqrt(81 + 5);
        assertValues(taps["attention"]!, [[[-2 / 3, 2 / 3], [second, -second]]]); // prettier-ignore
      },
    ));
});
