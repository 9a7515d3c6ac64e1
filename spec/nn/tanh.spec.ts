import { tensor1d, type Rank } from "@tensorflow/tfjs-core";
import { Tanh } from "../../lib/nn/tanh.ts";
import { assertValues, withLayer } from "../support/layers.ts";

describe("Tanh", () => {
  it("is the hyperbolic tangent of each element", () =>
    withLayer(
      {},
      (scope) => new Tanh<Rank.R1>(scope),
      (layer) => {
        // tanh(ln 2) = (2 − 1/2) / (2 + 1/2), tanh(ln 3) = (3 − 1/3) / (3 + 1/3)
        assertValues(layer.apply(tensor1d([0, Math.log(2), -Math.log(3)])), [0, 0.6, -0.8]);
      },
    ));
});
