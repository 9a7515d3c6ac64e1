import assert from "node:assert/strict";
import {
  add,
  engine,
  matMul,
  memory,
  mul,
  neg,
  exp,
  sum,
  tensor2d,
  tidy,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { gradientsOf } from "../../lib/nn/backpropagate.ts";
import { registerTfjsGradients } from "../../lib/nn/operations/tfjs-gradients.ts";

describe("gradientsOf", () => {
  before(registerTfjsGradients);

  const chain = (x: Tensor, w: Tensor, depth: number): Tensor => {
    let y = x;
    for (let i = 0; i < depth; i++) y = add(exp(matMul(y, w)), y);
    return sum(mul(y, y));
  };

  it("gives tfjs's gradients, and undefined for what the value does not depend on", () => {
    const x = tensor2d([0.1, -0.2, 0.3, 0.05, 0.4, -0.1], [3, 2]);
    const w = tensor2d([0.5, -0.25, 0.125, 1], [2, 2]);
    const other = tensor2d([1], [1, 1]);
    const theirs = engine().gradients(() => chain(x, w, 3), [x, w], undefined, true);
    const before = memory().numTensors;
    const ours = tidy(() => {
      const { value, gradients } = gradientsOf(() => chain(x, w, 3), [x, w, other]);
      assert.equal(gradients[2], undefined);
      return [value, gradients[0]!, gradients[1]!];
    });
    assert.equal(memory().numTensors - before, 3);
    for (const [i, tensor] of [theirs.value, ...theirs.grads].entries()) {
      assert.deepEqual(ours[i]!.arraySync(), tensor.arraySync());
    }
  });

  it("gives a variable that is the value itself the given gradient", () => {
    const x = tensor2d([2, 3], [1, 2]);
    const dy = tensor2d([5, 7], [1, 2]);
    const { gradients } = gradientsOf(() => x.clone(), [x], dy);
    assert.deepEqual(gradients[0]!.arraySync(), [[5, 7]]);
    assert.deepEqual(dy.arraySync(), [[5, 7]]); // the caller's
  });

  it("leaves nothing behind if the computation fails", () => {
    const x = tensor2d([2, 3], [1, 2]);
    const before = memory().numTensors;
    const fails = (): Tensor => {
      mul(x, x);
      throw new Error("stop");
    };
    assert.throws(() => gradientsOf(fails, [x]), /stop/);
    assert.equal(memory().numTensors, before);
  });

  it("needs less memory than tfjs, whose gradients of all intermediate values stay", () => {
    const x = tensor2d(new Float32Array(64 * 8).fill(0.01), [64, 8]);
    const turned = (): Tensor => {
      let y: Tensor = x;
      for (let i = 0; i < 20; i++) {
        const before = y;
        y = neg(before); // saves nothing for its gradient
        if (before !== x) before.dispose();
      }
      return sum(mul(y, y));
    };
    const peakOf = (compute: () => unknown): number => {
      const tracked = engine() as unknown as { trackTensor: (...args: unknown[]) => void };
      const track = tracked.trackTensor.bind(tracked);
      const before = memory().numBytes;
      let peak = 0;
      tracked.trackTensor = (...args) => {
        track(...args);
        peak = Math.max(peak, memory().numBytes - before);
      };
      tidy(() => {
        compute();
      });
      Reflect.deleteProperty(tracked, "trackTensor");
      return peak;
    };
    const theirs = peakOf(() => engine().gradients(turned, [x], undefined, true));
    const ours = peakOf(() => gradientsOf(turned, [x]));
    assert.ok(ours < theirs / 2, `${ours} bytes against ${theirs}`);
  });
});
