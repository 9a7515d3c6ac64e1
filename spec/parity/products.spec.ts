/** Deep products, which no tiny model has: on tensorflow they are sums of parts. */
import { strict as assert } from "node:assert";
import { grads, mul, sum, tensor1d, tensor2d, tidy, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { registerTfjsGradients } from "../../lib/nn/operations/tfjs-gradients.ts";
import { linear } from "../../lib/nn/operations/linear.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { syntheticValues } from "../../lib/tensor/synthetic.ts";

describe("deep products", () => {
  const [rows, depth, columns] = [5, 1024, 7];
  const values = (name: string, shape: number[]): Float32Array =>
    syntheticValues(
      name,
      shape,
      0,
      shape.reduce((a, b) => a * b),
    );
  const x = values("input.image", [rows, depth]);
  const weight = values("b.weight", [columns, depth]);
  const bias = values("c.bias", [columns]);
  const loss = values("d.weight", [columns, rows]);

  /** [first, second], the sum over `count` of a's and b's elements, in float64. */
  const product = (
    [first, second, count]: readonly [number, number, number],
    term: (i: number, j: number, k: number) => number,
  ): number[] =>
    Array.from({ length: first * second }, (_, at) => {
      let total = 0;
      for (let k = 0; k < count; k++) total += term(Math.floor(at / second), at % second, k);
      return total;
    });

  it("come as near to float64 as PyTorch's, and so do their gradients", () => {
    registerTfjsGradients();
    tidy(() => {
      const inputs = [
        tensor2d(x, [rows, depth]),
        tensor2d(weight, [depth, columns]),
        tensor1d(bias),
      ] as const;
      const near = (ours: Tensor, expected: number[]): void => {
        const { relativeL2 } = compare(ours.dataSync(), expected);
        assert.ok(relativeL2 < 1e-6, `relative L2 ${relativeL2}`);
      };
      near(
        linear(...inputs),
        product([rows, columns, depth], (r, c, k) => x[r * depth + k]! * weight[k * columns + c]!).map(
          (value, at) => value + bias[at % columns]!,
        ),
      );
      const upstream = tensor2d(loss, [rows, columns]);
      const [dx, dw, db] = grads((...[a, b, c]: Tensor[]) =>
        sum(mul(linear(a as Tensor2D, b as Tensor2D, c as never), upstream)),
      )([...inputs]) as [Tensor, Tensor, Tensor];
      near(
        dx,
        product([rows, depth, columns], (r, k, c) => loss[r * columns + c]! * weight[k * columns + c]!),
      );
      near(
        dw,
        product([depth, columns, rows], (k, c, r) => x[r * depth + k]! * loss[r * columns + c]!),
      );
      near(
        db,
        product([1, columns, rows], (_, c, r) => loss[r * columns + c]!),
      );
    });
  });
});
