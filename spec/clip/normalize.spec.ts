import assert from "node:assert/strict";
import { tensor2d, tidy, type Tensor2D } from "@tensorflow/tfjs-core";
import { l2Normalize, unitRows } from "../../lib/clip/normalize.ts";
import { assertValues } from "../support/layers.ts";
import { assertNear } from "../support/near.ts";

function numbersOf(tensor: Tensor2D): number[] {
  const numbers = [...tensor.dataSync()];
  tensor.dispose();
  return numbers;
}

describe("l2Normalize", () => {
  it("divides each row by its length", () => {
    tidy(() => {
      // √(3² + 4²) = 5, √(1² + 2² + 2²) = 3
      assertValues(l2Normalize(tensor2d([[3, 4, 0], [-1, 2, 2]])), [[0.6, 0.8, 0], [-1 / 3, 2 / 3, 2 / 3]]); // prettier-ignore
    });
  });

  it("leaves a row of zeros, as torch.nn.functional.normalize does", () => {
    tidy(() => {
      assertValues(l2Normalize(tensor2d([[0, 0], [3, 4]])), [[0, 0], [0.6, 0.8]]); // prettier-ignore
    });
  });
});

describe("unitRows", () => {
  it("keeps every bit of normalised rows, of any width", () => {
    for (const width of [1, 7, 96, 1024, 8192]) {
      const values = Float32Array.from({ length: 20 * width }, (_, i) => Math.sin(i * i + width));
      const rows = tensor2d(values, [20, width]);
      const normalised = l2Normalize(rows);
      assert.deepEqual(numbersOf(unitRows(normalised)), [...normalised.dataSync()], `width ${width}`);
      normalised.dispose();
      rows.dispose();
    }
  });

  it("normalises other rows, of any scale; zeros stay", () => {
    const rows = [
      [3, 4],
      [3e-30, 4e-30],
      [3e30, -4e30],
      [0, 0],
      [0.6 * 1.01, 0.8 * 1.01],
    ];
    const x = tensor2d(rows);
    assertNear(numbersOf(unitRows(x)), [0.6, 0.8, 0.6, 0.8, 0.6, -0.8, 0, 0, 0.6, 0.8], 1e-6);
    x.dispose();
  });

  it("keeps NaN, and makes NaN of infinities", () => {
    const x = tensor2d([
      [NaN, 1],
      [Infinity, 1],
    ]);
    const [first, , third] = numbersOf(unitRows(x));
    assert.deepEqual([first, third], [NaN, NaN]);
    x.dispose();
  });
});
