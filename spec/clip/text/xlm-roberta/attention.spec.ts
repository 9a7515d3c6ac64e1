import { tensor3d, tensor4d } from "@tensorflow/tfjs-core";
import { XlmRobertaAttention } from "../../../../lib/clip/text/xlm-roberta/attention.ts";
import { maskedScore } from "../../../../lib/nn/scaled-dot-product-attention.ts";
import { exampleRoberta } from "../../../support/example-config.ts";
import { exampleRobertaLayer } from "../../../support/example-weights.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

const weights = Object.fromEntries(
  Object.entries(exampleRobertaLayer).flatMap(([name, numbers]) =>
    name.startsWith("attention.") ? [[name.slice("attention.".length), numbers]] : [],
  ),
);

describe("XlmRobertaAttention", () => {
  it("normalises the sum of the stream and its attention", () =>
    withLayer(
      weights,
      (scope) => new XlmRobertaAttention(scope, { ...exampleRoberta, layerNormEpsilon: 5 }),
      (layer) => {
        // One token attends to itself: [1, 3] + [1, 3] = [2, 6], variance 4; [−2, 2] / √(4 + 5).
        assertValues(layer.apply(tensor3d([[[1, 3]]])), [[[-2 / 3, 2 / 3]]]);
      },
    ));

  it("ignores masked tokens", () =>
    withLayer(
      weights,
      (scope) => new XlmRobertaAttention(scope, { ...exampleRoberta, layerNormEpsilon: 5 }),
      (layer) => {
        const x = tensor3d([[[1, 3], [50, 70]]]); // prettier-ignore
        const mask = tensor4d([0, maskedScore], [1, 1, 1, 2]);
        const [[first]] = layer.apply(x, mask).arraySync() as [[number[]]];
        assertValues(first, [-2 / 3, 2 / 3]);
      },
    ));
});
