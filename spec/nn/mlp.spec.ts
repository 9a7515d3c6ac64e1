import { tensor3d } from "@tensorflow/tfjs-core";
import { Mlp } from "../../lib/nn/mlp.ts";
import { assertValues, tapsOf, withLayer } from "../support/layers.ts";

/** Width 1, hidden width 2: x → [x, 1 − x] → activation → 2 · first + second + 100. */
const weights = {
  "c_fc.weight": [[1], [-1]],
  "c_fc.bias": [0, 1],
  "c_proj.weight": [[2, 1]],
  "c_proj.bias": [100],
};

describe("Mlp", () => {
  it("expands, applies GELU, and contracts", () =>
    withLayer(
      weights,
      (scope) => new Mlp(scope, 1, 2, false),
      (layer) => {
        // x = 2: GELU([2, −1]) = [1.9544997, −0.1586553]; 2 · 1.9544997 − 0.1586553 + 100.
        assertValues(layer.apply(tensor3d([[[2]]])), [[[103.7503441]]]);
      },
    ));

  it("applies QuickGELU if the architecture has it", () =>
    withLayer(
      { ...weights, "c_fc.bias": [0, 0] },
      (scope) => new Mlp(scope, 1, 2, true),
      (layer) => {
        const x = Math.log(3) / 1.702; // QuickGELU([x, −x]) = [3/4 x, −1/4 x]
        const taps = tapsOf(() => layer.apply(tensor3d([[[x]]])));
        assertValues(taps["gelu"]!, [[[0.75 * x, -0.25 * x]]]);
        assertValues(taps["c_proj"]!, [[[1.5 * x - 0.25 * x + 100]]]);
      },
    ));
});
