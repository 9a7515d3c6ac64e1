import assert from "node:assert/strict";
import { ones, tensor2d, type Rank } from "@tensorflow/tfjs-core";
import { Lora } from "../../lib/nn/lora.ts";
import { project, projectSplit } from "../../lib/nn/operations/project.ts";
import { freeWeight, type Weight } from "../../lib/tensor/weight.ts";

describe("Lora", () => {
  // W = [[1, 0], [0, 1], [1, 1]], A = [[1, 2]], B = [[1], [0], [-1]], α = 3, r = 1
  const matrix = (): Weight<Rank.R2> =>
    freeWeight<Rank.R2>("m", [3, 2], Float32Array.of(1, 0, 0, 1, 1, 1), "linear");
  const values = { a: Float32Array.of(1, 2), b: Float32Array.of(1, 0, -1) };

  it("adds α/r · B A x to W x", () => {
    const weight = matrix();
    const x = tensor2d([[10, 1]]);
    assert.deepEqual(project(x, weight, null).arraySync(), [[10, 1, 11]]);
    const lora = new Lora(weight, 1, 3, values);
    // A x = 12, times 3: 36 is added to the first output, and taken from the last.
    assert.deepEqual(project(x, weight, null).arraySync(), [[46, 1, -25]]);
    lora.dispose();
    assert.deepEqual(project(x, weight, null).arraySync(), [[10, 1, 11]]);
    weight.dispose();
    x.dispose();
  });

  it("is split with the outputs, and changes nothing while B is 0", () => {
    const weight = matrix();
    const x = ones([4, 2]);
    const lora = new Lora(weight, 1, 1, { ...values, b: new Float32Array(3) });
    const parts = projectSplit(3, x, weight, null);
    assert.deepEqual(
      parts.map((part) => part.arraySync()),
      [1, 1, 2].map((value) => Array.from({ length: 4 }, () => [value])),
    );
    for (const tensor of [x, ...parts]) tensor.dispose();
    lora.dispose();
    weight.dispose();
  });
});
