import { tensor1d, type Rank } from "@tensorflow/tfjs-core";
import { Gelu } from "../../lib/nn/gelu.ts";
import { assertValues, withLayer } from "../support/layers.ts";

describe("Gelu", () => {
  it("multiplies each element by the normal distribution function", () =>
    withLayer(
      {},
      (scope) => new Gelu<Rank.R1>(scope),
      (layer) => {
        // Φ(1) = 0.8413447 and Φ(2) = 0.9772499; Φ(−1) = 1 − Φ(1). The tanh approximation gives 0.8411920 at 1.
        assertValues(layer.apply(tensor1d([0, 1, -1, 2])), [0, 0.8413447, -0.1586553, 2 * 0.9772499]);
      },
    ));
});
