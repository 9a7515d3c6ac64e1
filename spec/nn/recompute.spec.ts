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
      const recorded = await runRecorded(
        tower,
        { whole: x, batches: [x] },
        {
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
        },
      );
      assertValues(recorded.embeddings[0]!, [[193]]);
      const one = tensor2d([[1]]);
      await recorded.backward([one]);
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

  it("sums gradients over batches, and hands each over once", async () => {
    const { tower, scope } = example("streamed");
    const batches = [tensor3d([[[1, 2]]]), tensor3d([[[3, 5]]])];
    const before = memory().numTensors;
    const found: [name: string, gradient: Numbers][] = [];
    await pass(async () => {
      const wanted = {
        weights: new Set(scope.weights),
        tap: () => false,
        source: null,
        onWeight: ({ name }: { readonly name: string }, gradient: Tensor) => {
          found.push([name, gradient.arraySync()]);
          gradient.dispose();
        },
        onTap: () => assert.fail("a tap"),
        onSource: () => assert.fail("the source"),
      };
      const recorded = await runRecorded(tower, { whole: batches[0]!, batches }, wanted);
      const ones = batches.map(() => tensor2d([[1]]));
      await recorded.backward(ones);
      for (const tensor of ones) tensor.dispose();
      recorded.dispose();
    });
    assert.deepEqual(
      found.map(([name]) => name),
      [
        "tower.head",
        ...[2, 1, 0].flatMap((i) => [`tower.blocks.${i}.scale`, `tower.blocks.${i}.shift`]),
        "tower.factor",
      ],
    );
    // 0.5 · 6 · (1 + 2 + 3 + 5)
    assert.equal(found.at(-1)![1], 33);
    assert.equal(found[6]![1], 6);
    assert.equal(memory().numTensors, before);
    for (const tensor of batches) tensor.dispose();
  });

  it("keeps no activation of a tower in which nothing is wanted", async () => {
    const { tower } = example("streamed");
    const x = tensor3d([[[1, 2]]]);
    const before = memory().numTensors;
    await pass(async () => {
      const recorded = await runRecorded(
        tower,
        { whole: x, batches: [x] },
        {
          weights: new Set(),
          tap: () => false,
          source: null,
          onWeight: () => assert.fail("a weight"),
          onTap: () => assert.fail("a tap"),
          onSource: () => assert.fail("the source"),
        },
      );
      assert.equal(recorded.isWanted, false);
      assert.equal(memory().numTensors, before + 1, "the embedding alone");
      recorded.dispose();
    });
    assert.equal(memory().numTensors, before);
    x.dispose();
  });
});
