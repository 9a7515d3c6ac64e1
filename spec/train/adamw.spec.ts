import assert from "node:assert/strict";
import { tensor1d, type Tensor } from "@tensorflow/tfjs-core";
import { adamw } from "../../lib/train/adamw.ts";
import { assertNear } from "../support/near.ts";

// spec/parity/training.spec.ts compares whole runs with PyTorch's.
describe("adamw", () => {
  it("moves by the rate in the first step, whatever the size of the gradient, after the decay", () => {
    const state = { value: tensor1d([1, 1, 1]), mean: tensor1d([0, 0, 0]), square: tensor1d([0, 0, 0]) };
    const update = { rate: 0.1, weightDecay: 0.5, beta1: 0.9, beta2: 0.98, epsilon: 0, step: 1 };
    const after = adamw(state, tensor1d([2, -200, 1e-4]), update);
    const read = (tensor: Tensor): number[] => [...tensor.dataSync()];
    // m / (1 − β₁) = g and √(v / (1 − β₂)) = |g|, so that each number moves by ±0.1 from 0.95.
    assertNear(read(after.value), [0.85, 1.05, 0.85], 1e-6);
    assertNear(read(after.mean), [0.2, -20, 1e-5], 1e-5);
    assertNear(read(after.square), [0.08, 800, 2e-10], 1e-3);
    assert.deepEqual(read(state.value), [1, 1, 1], "the old state is unchanged");
    for (const { value, mean, square } of [state, after])
      for (const tensor of [value, mean, square]) tensor.dispose();
  });
});
