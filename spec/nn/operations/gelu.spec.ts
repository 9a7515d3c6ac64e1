import assert from "node:assert/strict";
import { tensor1d, tidy, type Tensor1D } from "@tensorflow/tfjs-core";
import { gelu } from "../../../lib/nn/operations/gelu.ts";
import { assertValues } from "../../support/layers.ts";
import { phi } from "../../support/normal-distribution.ts";
import { gradientsOf } from "../../support/operations.ts";

describe("gelu", () => {
  it("is x · Φ(x), the exact form", () => {
    tidy(() => {
      // Φ(1) = 0.8413447, Φ(½) = 0.6914625
      const expected = [0, 0.8413447, -1 * (1 - 0.8413447), 0.5 * 0.6914625];
      assertValues(gelu(tensor1d([0, 1, -1, 0.5])), expected);
    });
  });

  it("has the derivative Φ(x) + x φ(x)", () => {
    tidy(() => {
      // φ(1) = 0.2419707: Φ + φ at 1, (1 − Φ(1)) − φ(1) at −1, ½ at 0.
      const dy = tensor1d([1, 10, 2]);
      const [dx] = gradientsOf((x: Tensor1D) => gelu(x), [tensor1d([1, -1, 0])], dy);
      assertValues(dx!, [0.8413447 + 0.2419707, 10 * (0.1586553 - 0.2419707), 1]);
    });
  });

  it("is exact to float32 from −14 to 14", () => {
    const x = Float32Array.from({ length: 40_001 }, (_, i) => (i - 20_000) * 7e-4);
    tidy(() => {
      const y = gelu(tensor1d(x)).dataSync();
      let worst = 0;
      for (const [i, value] of x.entries()) worst = Math.max(worst, Math.abs(y[i]! - value * phi(value)));
      assert.ok(worst < 5e-7, `off by ${worst}`);
    });
  });
});
