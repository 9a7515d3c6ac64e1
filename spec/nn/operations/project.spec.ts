import assert from "node:assert/strict";
import { mul, slice, tensor2d, type Rank } from "@tensorflow/tfjs-core";
import { project, projectSplit } from "../../../lib/nn/operations/project.ts";
import { freeWeight } from "../../../lib/tensor/weight.ts";

describe("project", () => {
  it("is x · W + b, with W as PyTorch stores it, and what an adapter adds to each part", () => {
    const weight = freeWeight<Rank.R2>("w", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6), "linear");
    const bias = freeWeight<Rank.R1>("b", [2], Float32Array.of(10, 20));
    const x = tensor2d([[1, 0, 1]]);
    assert.deepEqual(project(x, weight, bias).arraySync(), [[14, 30]]);
    weight.adapter = {
      weights: [],
      delta: (input, parts) =>
        Array.from({ length: parts }, (_, i) => mul(slice(input, [0, 0], [1, 1]), i + 1)),
    };
    const parts = projectSplit(2, x, weight, bias);
    assert.deepEqual(
      parts.map((part) => part.arraySync()),
      [[[15]], [[32]]],
    );
    for (const tensor of [x, ...parts]) tensor.dispose();
    weight.dispose();
    bias.dispose();
  });
});
