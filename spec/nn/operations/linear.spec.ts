import assert from "node:assert/strict";
import fc from "fast-check";
import { tensor1d, tensor2d, tensor3d, tidy, type Tensor1D, type Tensor2D } from "@tensorflow/tfjs-core";
import { linear, linearSplit } from "../../../lib/nn/operations/linear.ts";
import { registerTfjsGradients } from "../../../lib/nn/operations/tfjs-gradients.ts";
import { assertValues } from "../../support/layers.ts";
import { assertClose, gradientsOf, numbers, products, propertyRuns, size } from "../../support/operations.ts";

describe("linear", () => {
  it("multiplies with the weight [in, out] and adds the bias", () => {
    tidy(() => {
      const x = tensor3d([[[1, 2]], [[0, 1]]]); // [2, 1, 2]
      const weight = tensor2d([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
      // [1, 2]: 1 + 8, 2 + 10, 3 + 12, and the bias.
      assertValues(linear(x, weight, tensor1d([10, 20, 30])), [[[19, 32, 45]], [[14, 25, 36]]]);
      assertValues(linear(x, weight), [[[9, 12, 15]], [[4, 5, 6]]]);
    });
  });

  it("splits the output along its last axis", () => {
    tidy(() => {
      const weight = tensor2d([[1, 2, 3, 4]]);
      const [left, right] = linearSplit(2, tensor2d([[1], [10]]), weight, tensor1d([0, 0, 5, 5]));
      assertValues(left!, [[1, 2], [10, 20]]); // prettier-ignore
      assertValues(right!, [[8, 9], [35, 45]]); // prettier-ignore
    });
  });

  it("has the derivatives Ȳ · Wᵀ, Xᵀ · Ȳ and the sum of the rows of Ȳ", () => {
    tidy(() => {
      const [x, weight, bias] = [tensor2d([[1, 2], [3, 4]]), tensor2d([[5], [6]]), tensor1d([7])]; // prettier-ignore
      const [dx, dw, db] = gradientsOf(
        (x: Tensor2D, w: Tensor2D, b: Tensor1D) => linear(x, w, b),
        [x, weight, bias],
        tensor2d([[1], [10]]),
      );
      assertValues(dx!, [[5, 6], [50, 60]]); // prettier-ignore
      assertValues(dw!, [[1 + 30], [2 + 40]]);
      assertValues(db!, [11]);
    });
  });

  it("is exact to float32 for any sizes", () => {
    fc.assert(
      fc.property(size(40), size(600), size(3), size(300), fc.boolean(), (...sizes) => {
        tidy(() => {
          assertProduct(...sizes);
        });
      }),
      propertyRuns,
    );
  });

  // More rows than kernels take at once, with a small and a large weight.
  for (const [rows, depth, columns] of [
    [801, 5, 3],
    [801, 300, 500],
  ] as const) {
    it(`is exact to float32 for ${rows} rows and a weight of ${depth} × ${columns}`, () => {
      tidy(() => {
        assertProduct(rows, depth, 1, columns, false);
      });
    });
  }

  // Deeper than any product of a tiny model: kernels may sum such products in parts.
  it("is exact to float32 for a product of depth 1024, and so are its gradients", () => {
    registerTfjsGradients();
    const [rows, depth, columns] = [5, 1024, 7];
    const x = numbers("x", rows * depth);
    const w = numbers("ww", depth * columns);
    const b = numbers("bbb", columns);
    const dy = numbers("dydy", rows * columns);
    tidy(() => {
      const inputs = [tensor2d(x, [rows, depth]), tensor2d(w, [depth, columns]), tensor1d(b)] as const;
      const y = products(
        [rows, columns, depth],
        (r, c, k) => x[r * depth + k]! * w[k * columns + c]! + b[c]! / depth,
      );
      assertClose(linear(...inputs), y, "y", 1e-6);
      const [dx, dw, db] = gradientsOf(
        (x: Tensor2D, w: Tensor2D, b: Tensor1D) => linear(x, w, b),
        inputs,
        tensor2d(dy, [rows, columns]),
      );
      const dxExpected = products(
        [rows, depth, columns],
        (r, k, c) => dy[r * columns + c]! * w[k * columns + c]!,
      );
      assertClose(dx!, dxExpected, "dx", 1e-6);
      const dwExpected = products(
        [depth, columns, rows],
        (k, c, r) => x[r * depth + k]! * dy[r * columns + c]!,
      );
      assertClose(dw!, dwExpected, "dw", 1e-6);
      assertClose(
        db!,
        products([1, columns, rows], (_, c, r) => dy[r * columns + c]!),
        "db",
        1e-6,
      );
    });
  });
});

function assertProduct(rows: number, depth: number, parts: number, out: number, withBias: boolean): void {
  const columns = parts * out;
  const x = numbers("x", rows * depth);
  const w = numbers("ww", depth * columns);
  const b = withBias ? numbers("b", columns) : new Float32Array(columns);
  const bias = withBias ? tensor1d(b) : undefined;
  const outputs = linearSplit(parts, tensor2d(x, [rows, depth]), tensor2d(w, [depth, columns]), bias);
  assert.equal(outputs.length, parts);
  for (const [part, y] of outputs.entries()) {
    const expected = products([rows, out, depth], (i, column, k) => {
      const j = part * out + column;
      return x[i * depth + k]! * w[k * columns + j]! + (k === 0 ? b[j]! : 0);
    });
    assert.deepEqual(y.shape, [rows, out]);
    assertClose(y, expected, `[${rows}, ${depth}] · [${depth}, ${columns}], part ${part} of ${parts}`);
  }
}
