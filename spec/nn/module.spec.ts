import assert from "node:assert/strict";
import { add, memory, mul, scalar, tidy, type Scalar } from "@tensorflow/tfjs-core";
import { Module } from "../../lib/nn/module.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { assertValues, tapsOf, withLayer } from "../support/layers.ts";

/** 2x + 1, with an intermediate value. */
class Example extends Module<[x: Scalar], Scalar> {
  protected forward(x: Scalar): Scalar {
    const doubled = mul<Scalar>(x, 2);
    return add(doubled, 1);
  }
}

describe("Module", () => {
  it("emits its output as the tap of its path", () =>
    withLayer(
      {},
      (scope) => new Example(scope.at("block.0").at("ln_1")),
      (layer) => {
        assert.deepEqual(
          tapsOf(() => layer.apply(scalar(3))),
          { "block.0.ln_1": 7 },
        );
      },
    ));

  it("returns the replacement if the tap is patched", () =>
    withLayer(
      {},
      (scope) => new Example(scope.at("ln_1")),
      (layer) => {
        const patched = withTaps(
          () => undefined,
          () => layer.apply(scalar(3)),
          (name, value) => (name === "ln_1" ? mul(value, 10) : null),
        );
        assertValues(patched, 70);
      },
    ));

  it("frees its intermediate values", () =>
    withLayer(
      {},
      (scope) => new Example(scope),
      (layer) => {
        const x = scalar(3);
        const before = memory().numTensors;
        const y = tidy(() => layer.apply(x));
        assert.equal(memory().numTensors, before + 1);
        y.dispose();
      },
    ));
});
