import { tensor3d } from "@tensorflow/tfjs-core";
import { LayerNorm } from "../../lib/nn/layer-norm.ts";
import { assertValues, withLayer } from "../support/layers.ts";

describe("LayerNorm", () => {
  it("gives each vector the mean 0 and the deviation 1", () =>
    withLayer(
      { weight: [1, 1], bias: [0, 0] },
      (scope) => new LayerNorm(scope, 2, 0),
      (layer) => {
        // [1, 3]: mean 2, deviation 1. [10, 50]: mean 30, deviation 20.
        const x = tensor3d([[[1, 3], [10, 50]]]); // prettier-ignore
        assertValues(layer.apply(x), [[[-1, 1], [-1, 1]]]); // prettier-ignore
      },
    ));

  it("multiplies by γ and adds β", () =>
    withLayer(
      { weight: [2, 3], bias: [10, 20] },
      (scope) => new LayerNorm(scope, 2, 0),
      (layer) => {
        assertValues(layer.apply(tensor3d([[[1, 3]]])), [[[-1 * 2 + 10, 1 * 3 + 20]]]);
      },
    ));

  it("adds ε to the variance, which divides by the number of elements", () =>
    withLayer(
      { weight: [1, 1], bias: [0, 0] },
      (scope) => new LayerNorm(scope, 2, 3),
      (layer) => {
        // [1, 3]: variance (1 + 1) / 2 = 1, √(1 + 3) = 2.
        assertValues(layer.apply(tensor3d([[[1, 3]]])), [[[-0.5, 0.5]]]);
      },
    ));
});
