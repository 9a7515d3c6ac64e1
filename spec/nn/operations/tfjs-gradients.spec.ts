/** Each derivative on a few numbers. `dy` is the gradient with respect to the output; numbers that differ show mix-ups. */
import {
  add,
  clone,
  concat,
  conv2d,
  div,
  exp,
  expandDims,
  gather,
  gatherND,
  logSoftmax,
  matMul,
  maximum,
  mean,
  mul,
  neg,
  reshape,
  sigmoid,
  slice,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  tensor,
  tile,
  tidy,
  transpose,
  type Tensor,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { registerTfjsGradients } from "../../../lib/nn/operations/tfjs-gradients.ts";
import { assertValues, type Numbers } from "../../support/layers.ts";
import { gradientsOf } from "../../support/operations.ts";

interface Example {
  readonly run: (...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly Numbers[];
  readonly dy: Numbers;
  /** By input. */
  readonly gradients: readonly Numbers[];
}

const matrix = [[1, 2, 3], [4, 5, 6]]; // prettier-ignore
const ids = (...values: number[]): Tensor => tensor(values, [values.length], "int32");
const matrixProduct =
  (transposeA: boolean, transposeB: boolean) =>
  (a: Tensor, b: Tensor): Tensor =>
    matMul(a, b, transposeA, transposeB);

const examples: Readonly<Record<string, Example>> = {
  clone: { run: clone, inputs: [[1, 2]], dy: [3, 4], gradients: [[3, 4]] },
  add: { run: add, inputs: [[1, 2], [3, 4]], dy: [5, 6], gradients: [[5, 6], [5, 6]] },
  "add with broadcasting, which sums over the copies": {
    run: add,
    inputs: [matrix, [[10], [20]]],
    dy: [[1, 2, 3], [4, 5, 6]],
    gradients: [[[1, 2, 3], [4, 5, 6]], [[6], [15]]],
  },
  "add of a scalar": { run: add, inputs: [[1, 2], 3], dy: [5, 6], gradients: [[5, 6], 11] },
  "add of a vector to rows": {
    run: add,
    inputs: [[1, 2, 3], matrix],
    dy: [[1, 2, 3], [4, 5, 6]],
    gradients: [[5, 7, 9], [[1, 2, 3], [4, 5, 6]]],
  },
  sub: { run: sub, inputs: [[1, 2], 3], dy: [5, 6], gradients: [[5, 6], -11] },
  mul: { run: mul, inputs: [[2, 3], [5, 7]], dy: [1, 10], gradients: [[5, 70], [2, 30]] },
  "mul by a scalar": { run: mul, inputs: [[2, 3], 5], dy: [1, 10], gradients: [[5, 50], 32] },
  // ∂(a / b) = 1 / b and −a / b²
  div: { run: div, inputs: [[6, 3], [2, 1]], dy: [1, 10], gradients: [[0.5, 10], [-1.5, -30]] },
  "maximum, where the first input wins ties": {
    run: maximum,
    inputs: [[1, 5, 4], [2, 3, 4]],
    dy: [10, 20, 30],
    gradients: [[0, 20, 30], [10, 0, 0]],
  },
  neg: { run: neg, inputs: [[1, 2]], dy: [3, 4], gradients: [[-3, -4]] },
  square: { run: square, inputs: [[3, -4]], dy: [1, 10], gradients: [[6, -80]] },
  sqrt: { run: sqrt, inputs: [[4, 25]], dy: [1, 10], gradients: [[0.25, 1]] },
  exp: { run: exp, inputs: [[0, Math.log(3)]], dy: [1, 10], gradients: [[1, 30]] },
  // σ(ln 3) = ¾, so σ (1 − σ) = 3/16
  sigmoid: { run: sigmoid, inputs: [[0, Math.log(3)]], dy: [4, 16], gradients: [[1, 3]] },
  // tanh(ln 2) = 0.6
  tanh: { run: tanh, inputs: [[0, Math.log(2)]], dy: [1, 10], gradients: [[1, 6.4]] },
  "sum over an axis": {
    run: (x) => sum(x, 1),
    inputs: [matrix],
    dy: [1, 2],
    gradients: [[[1, 1, 1], [2, 2, 2]]],
  },
  "sum over an axis that is kept": {
    run: (x) => sum(x, -1, true),
    inputs: [matrix],
    dy: [[1], [2]],
    gradients: [[[1, 1, 1], [2, 2, 2]]],
  },
  "sum over everything": { run: (x) => sum(x), inputs: [[1, 2]], dy: 7, gradients: [[7, 7]] },
  "mean over an axis": {
    run: (x) => mean(x, 0),
    inputs: [matrix],
    dy: [2, 4, 6],
    gradients: [[[1, 2, 3], [1, 2, 3]]],
  },
  "mean over everything": { run: (x) => mean(x), inputs: [[1, 2]], dy: 6, gradients: [[3, 3]] },
  // softmax([0, ln 3]) = [¼, ¾], Σ dy = 12
  logSoftmax: { run: (x) => logSoftmax(x), inputs: [[[0, Math.log(3)]]], dy: [[8, 4]], gradients: [[[5, -5]]] },
  // A = [1, 2], B = [[3], [4]]: Ā = dy · [3, 4], B̄ = [[1], [2]] · dy
  "A · B": { run: matrixProduct(false, false), inputs: [[[1, 2]], [[3], [4]]], dy: [[10]], gradients: [[[30, 40]], [[10], [20]]] },
  "A · Bᵀ": { run: matrixProduct(false, true), inputs: [[[1, 2]], [[3, 4]]], dy: [[10]], gradients: [[[30, 40]], [[10, 20]]] },
  "Aᵀ · B": { run: matrixProduct(true, false), inputs: [[[1], [2]], [[3], [4]]], dy: [[10]], gradients: [[[30], [40]], [[10], [20]]] },
  "Aᵀ · Bᵀ": { run: matrixProduct(true, true), inputs: [[[1], [2]], [[3, 4]]], dy: [[10]], gradients: [[[30], [40]], [[10, 20]]] },
  transpose: {
    run: (x) => transpose(x, [2, 0, 1]), // [1, 2, 3] → [3, 1, 2]
    inputs: [[matrix]],
    dy: [[[1, 2]], [[3, 4]], [[5, 6]]],
    gradients: [[[[1, 3, 5], [2, 4, 6]]]],
  },
  reshape: { run: (x) => reshape(x, [3, 2]), inputs: [matrix], dy: [[1, 2], [3, 4], [5, 6]], gradients: [matrix] },
  expandDims: { run: (x) => expandDims(x, 0), inputs: [[1, 2]], dy: [[3, 4]], gradients: [[3, 4]] },
  concat: {
    run: (a, b) => concat([a, b], 1),
    inputs: [[[1], [2]], [[3, 4], [5, 6]]],
    dy: [[1, 2, 3], [4, 5, 6]],
    gradients: [[[1], [4]], [[2, 3], [5, 6]]],
  },
  "concat along the last axis": {
    run: (a, b) => concat([a, b], -1),
    inputs: [[[1], [2]], [[3, 4], [5, 6]]],
    dy: [[1, 2, 3], [4, 5, 6]],
    gradients: [[[1], [4]], [[2, 3], [5, 6]]],
  },
  slice: {
    run: (x) => slice(x, [0, 1], [1, 2]),
    inputs: [matrix],
    dy: [[7, 8]],
    gradients: [[[0, 7, 8], [0, 0, 0]]],
  },
  tile: { run: (x) => tile(x, [2, 2]), inputs: [[[1, 2]]], dy: [[1, 2, 3, 4], [10, 20, 30, 40]], gradients: [[[44, 66]]] },
  "gather, which sums over the copies of a row": {
    run: (x) => gather(x, ids(2, 0, 2)),
    inputs: [[[1], [2], [3]]],
    dy: [[10], [20], [30]],
    gradients: [[[20], [0], [40]]],
  },
  gatherND: {
    run: (x) => gatherND(x, tensor([1, 0, 0, 2], [2, 2], "int32")),
    inputs: [matrix],
    dy: [7, 8],
    gradients: [[[0, 0, 8], [7, 0, 0]]],
  },
  // One channel in, one out: two patches of 1 × 2 with the filter [3, 4].
  "convolution of patches": {
    run: (x, filter) => conv2d(x as Tensor4D, filter as Tensor4D, [1, 2], "valid"),
    inputs: [[[[[1], [2], [5], [6]]]], [[[[3]], [[4]]]]],
    dy: [[[[10], [100]]]],
    gradients: [[[[[30], [40], [300], [400]]]], [[[[510]], [[620]]]]],
  },
}; // prettier-ignore

describe("registerTfjsGradients", () => {
  before(registerTfjsGradients);

  for (const [name, { run, inputs, dy, gradients }] of Object.entries(examples)) {
    it(name, () => {
      tidy(() => {
        const found = gradientsOf(
          run,
          inputs.map((numbers) => tensor(numbers as number[])),
          tensor(dy as number[]),
        );
        assert.equal(found.length, gradients.length);
        for (const [i, expected] of gradients.entries()) assertValues(found[i]!, expected);
      });
    });
  }

  it("refuses a convolution whose stride is not its kernel size", () => {
    tidy(() => {
      const [x, filter] = [tensor([[[[1], [2], [3]]]]), tensor([[[[3]], [[4]]]])];
      const overlapping = (x: Tensor, filter: Tensor): Tensor =>
        conv2d(x as Tensor4D, filter as Tensor4D, [1, 1], "valid");
      assert.throws(
        () => gradientsOf(overlapping, [x, filter], tensor([[[[1], [1]]]])),
        /implemented for patches only: stride = kernel size, and no remainder/,
      );
    });
  });
});
