import { tensor1d, type Rank } from "@tensorflow/tfjs-core";
import { QuickGelu } from "../../lib/nn/quick-gelu.ts";
import { assertValues, withLayer } from "../support/layers.ts";

describe("QuickGelu", () => {
  it("multiplies each element by σ(1.702 x)", () =>
    withLayer(
      {},
      (scope) => new QuickGelu<Rank.R1>(scope),
      (layer) => {
        const x = Math.log(3) / 1.702; // σ(ln 3) = 3/4, σ(−ln 3) = 1/4
        assertValues(layer.apply(tensor1d([0, x, -x])), [0, 0.75 * x, -0.25 * x]);
      },
    ));
});
