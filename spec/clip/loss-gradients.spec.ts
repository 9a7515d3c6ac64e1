import assert from "node:assert/strict";
import { tensor2d } from "@tensorflow/tfjs-core";
import { byLength, inOrder } from "../../lib/clip/loss-gradients.ts";
import { assertValues } from "../support/layers.ts";

describe("byLength", () => {
  it("puts rows of similar length into a batch, and leaves a single batch in its order", () => {
    const rows = [[1, 2, 3], [1], [1, 2, 3, 4], [1, 2]];
    assert.deepEqual(byLength(rows, 2), [
      [1, 3],
      [0, 2],
    ]);
    assert.deepEqual(byLength(rows, 3), [[1, 3, 0], [2]]);
    assert.deepEqual(byLength(rows), [[0, 1, 2, 3]]);
  });
});

describe("inOrder", () => {
  it("puts the rows of batches back into their order", () => {
    const batches = [tensor2d([[1], [3]]), tensor2d([[0], [2]])];
    assertValues(inOrder(batches, [1, 3, 0, 2]), [[0], [1], [2], [3]]);
    for (const batch of batches) batch.dispose();
  });
});
