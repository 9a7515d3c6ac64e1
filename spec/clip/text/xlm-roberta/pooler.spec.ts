import { tensor3d } from "@tensorflow/tfjs-core";
import { ClsLastHiddenStatePooler, MeanPooler } from "../../../../lib/clip/text/xlm-roberta/pooler.ts";
import { networkOutline } from "../../../../lib/clip/network.ts";
import { exampleConfig, exampleRobertaText } from "../../../support/example-config.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

/** Two texts of three and two tokens. */
const hidden = [[[1, 2], [3, 4], [5, 12]], [[1, 2], [3, 4], [99, 99]]]; // prettier-ignore
const batch = networkOutline({ ...exampleConfig, text: exampleRobertaText }).text.batch([
  [0, 3, 2],
  [0, 2],
]);

describe("MeanPooler", () => {
  it("takes the mean over the tokens and ignores padding", () =>
    withLayer(
      {},
      (scope) => new MeanPooler(scope),
      (pooler) => {
        assertValues(pooler.apply(tensor3d(hidden), batch), [[3, 6], [2, 3]]); // prettier-ignore
      },
    ));
});

describe("ClsLastHiddenStatePooler", () => {
  it("takes the first token", () =>
    withLayer(
      {},
      (scope) => new ClsLastHiddenStatePooler(scope),
      (pooler) => {
        const x = tensor3d([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]); // prettier-ignore
        assertValues(pooler.apply(x), [[1, 2], [5, 6]]); // prettier-ignore
      },
    ));
});
