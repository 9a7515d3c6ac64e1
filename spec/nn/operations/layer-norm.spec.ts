import { tensor1d, tensor2d, tidy, type Tensor1D, type Tensor2D } from "@tensorflow/tfjs-core";
import { layerNorm } from "../../../lib/nn/operations/layer-norm.ts";
import { assertValues } from "../../support/layers.ts";
import { assertClose, gradientsOf, numbers } from "../../support/operations.ts";

describe("layerNorm", () => {
  it("normalises over the last axis, with ε inside the square root", () => {
    tidy(() => {
      // [1, 3]: mean 2, variance 1; [0, 8]: mean 4, variance 16. With ε = 9: ±1 / √10 and ±4 / √25.
      const y = layerNorm(tensor2d([[1, 3], [0, 8]]), tensor1d([1, 2]), tensor1d([0, 100]), 9); // prettier-ignore
      const tenth = 1 / Math.sqrt(10);
      assertValues(y, [[-tenth, 2 * tenth + 100], [-0.8, 1.6 + 100]]); // prettier-ignore
    });
  });

  it("has the derivatives of the formula", () => {
    tidy(() => {
      const inputs = [tensor2d([[1, 2, 6]]), tensor1d([1, 2, 4]), tensor1d([0, 0, 0])];
      const [dx, dGamma, dBeta] = gradientsOf(
        (x: Tensor2D, gamma: Tensor1D, beta: Tensor1D) => layerNorm(x, gamma, beta, 2 / 3 + 20 / 3),
        inputs,
        tensor2d([[6, 3, 0]]),
      );
      // [1, 2, 6]: mean 3, deviations [−2, −1, 3], variance 14 / 3; √(14 / 3 + 22 / 3) = √12, called s.
      const s = Math.sqrt(12);
      assertValues(dBeta!, [6, 3, 0]);
      assertValues(dGamma!, [-12 / s, -3 / s, 0]);
      // z = ȳ γ = [6, 6, 0]: mean 4. z x̂ = [−12, −6, 0] / s: mean −6 / s, and x̂ · (−6 / s) = [12, 6, −18] / 12.
      assertValues(dx!, [[(6 - 4 - 1) / s, (6 - 4 - 0.5) / s, (0 - 4 + 1.5) / s]]);
    });
  });

  for (const [rows, width] of [
    [3, 1280],
    [5, 23],
    [40, 1024],
    [1, 1],
    [2, 17],
  ] as const) {
    it(`is exact to float32 for ${rows} rows of ${width}, also where the mean is large`, () => {
      const x = numbers("norm", rows * width).map((value, i) => value * 3 + (i < width ? 100 : 0.5));
      const [gamma, beta] = [numbers("g", width), numbers("be", width)];
      const expected = new Float64Array(rows * width);
      for (let row = 0; row < rows; row++) {
        const values = Float64Array.from(x.subarray(row * width, (row + 1) * width));
        const mean = values.reduce((a, b) => a + b) / width;
        const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
        for (let i = 0; i < width; i++) {
          expected[row * width + i] =
            ((values[i]! - mean) / Math.sqrt(variance + 1e-5)) * gamma[i]! + beta[i]!;
        }
      }
      tidy(() => {
        const y = layerNorm(tensor2d(x, [rows, width]), tensor1d(gamma), tensor1d(beta), 1e-5);
        // A mean of 100 leaves float32 two decimal digits less for the deviations, in any order of summing.
        assertClose(y, expected, `${rows} × ${width}`, 1e-5);
      });
    });
  }
});
