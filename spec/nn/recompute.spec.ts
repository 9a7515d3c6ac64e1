import assert from "node:assert/strict";
import { memory, tensor2d, tensor3d, type Tensor } from "@tensorflow/tfjs-core";
import { registerTfjsGradients } from "../../lib/nn/operations/tfjs-gradients.ts";
import { runRecorded } from "../../lib/nn/recompute.ts";
import { pass } from "../../lib/tensor/taps.ts";
import { example } from "../support/example-tower.ts";
import { assertValues, type Numbers } from "../support/layers.ts";

registerTfjsGradients();

// embedding = head · Σ(((factor · x) · 2 + 1) · 3 + 100), with x = [1, 2], factor = 10 and head = 0.5
describe("runRecorded", () => {
  it("computes the gradients of what is wanted, from the last stage to the first, with one block's weights", async () => {
    const { tower, scope, loaded } = example("streamed");
    const x = tensor3d([[[1, 2]]]);
    const before = memory().numTensors;
    const found: [name: string, gradient: Numbers][] = [];
    const most: number[] = [];
    const take = (name: string, gradient: Tensor): void => {
      found.push([name, gradient.arraySync()]);
      most.push(loaded().length);
    };
    await pass(async () => {
      const recorded = await runRecorded(tower, x, {
        weights: new Set(scope.weights),
        tap: (name) => name === "tower.blocks.0" || name === "tower.inner",
        source: x,
        onWeight: ({ name }, gradient) => {
          take(name, gradient);
          gradient.dispose();
        },
        onTap: (name, gradient, value) => {
          take(`at ${name}`, gradient);
          take(`value at ${name}`, value);
        },
        onSource: (gradient) => {
          take("x", gradient);
          gradient.dispose();
        },
      });
      assertValues(recorded.embedding, [[193]]);
      const one = tensor2d([[1]]);
      await recorded.backward(one);
      one.dispose();
      recorded.dispose();
    });
    assert.deepEqual(found, [
      ["tower.head", 386],
      ["at tower.inner", [[[0.5, 0.5]]]],
      ["value at tower.inner", [[[163, 223]]]],
      ["tower.blocks.2.scale", 0.5 * (63 + 123)],
      ["tower.blocks.2.shift", 1],
      ["tower.blocks.1.scale", 0.5 * (21 + 41)],
      ["tower.blocks.1.shift", 1],
      ["tower.blocks.0.scale", 0.5 * 3 * (10 + 20)],
      ["tower.blocks.0.shift", 3],
      ["at tower.blocks.0", [[[1.5, 1.5]]]],
      ["value at tower.blocks.0", [[[21, 41]]]],
      ["tower.factor", 0.5 * 6 * (1 + 2)],
      ["x", [[[30, 30]]]],
    ]);
    assert.ok(Math.max(...most) <= 2, `${Math.max(...most)} weights are loaded`);
    assert.deepEqual(loaded(), []);
    assert.equal(memory().numTensors, before);
    x.dispose();
  });

  it("keeps no activation of a tower in which nothing is wanted", async () => {
    const { tower } = example("streamed");
    const x = tensor3d([[[1, 2]]]);
    const before = memory().numTensors;
    await pass(async () => {
      const recorded = await runRecorded(tower, x, {
        weights: new Set(),
        tap: () => false,
        source: null,
        onWeight: () => assert.fail("a weight"),
        onTap: () => assert.fail("a tap"),
        onSource: () => assert.fail("the source"),
      });
      assert.equal(recorded.isWanted, false);
      assert.equal(memory().numTensors, before + 1, "the embedding alone");
      recorded.dispose();
    });
    assert.equal(memory().numTensors, before);
    x.dispose();
  });
});
