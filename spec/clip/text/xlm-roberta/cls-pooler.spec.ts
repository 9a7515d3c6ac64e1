import { tensor3d } from "@tensorflow/tfjs-core";
import { ClsPooler } from "../../../../lib/clip/text/xlm-roberta/cls-pooler.ts";
import { assertValues, tapsOf, withLayer } from "../../../support/layers.ts";

describe("ClsPooler", () => {
  it("is the output of the pooler under transformer.pooler", () =>
    withLayer(
      { "transformer.pooler.dense.weight": [[0, 1], [1, 0]], "transformer.pooler.dense.bias": [0, 0] }, // prettier-ignore
      (scope) => new ClsPooler(scope.at("pooler"), scope.at("transformer.pooler"), 2),
      (pooler) => {
        const taps = tapsOf(() => pooler.apply(tensor3d([[[Math.log(2), Math.log(3)]]])));
        assertValues(taps["transformer.pooler"]!, [[0.8, 0.6]]); // swapped by the weight
        assertValues(taps["pooler"]!, [[0.8, 0.6]]);
      },
    ));
});
