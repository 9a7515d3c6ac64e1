import assert from "node:assert/strict";
import {
  add,
  exp,
  getBackend,
  memory,
  mul,
  scalar,
  tidy,
  unregisterKernel,
  type Scalar,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { operation, replaceOperation } from "../../../lib/nn/operations/operation.ts";
import { assertValues } from "../../support/layers.ts";
import { gradientsOf } from "../../support/operations.ts";

interface ExampleInputs {
  readonly x: Tensor;
  readonly shift?: Tensor | undefined;
}

/** factor · eˣ + shift, whose derivative with respect to x is its value without the shift. */
const example = operation<ExampleInputs, { readonly factor: number }, Tensor>({
  name: "ClipscopeSpecExample",
  inputs: ["x", "shift"],
  compute: ({ x, shift }, { factor }) => {
    const scaled = mul(exp(x), factor);
    return shift ? add(scaled, shift) : scaled;
  },
  savesOutput: true,
  gradient: (dy, { shift }, _, output) => ({
    x: () => mul(dy, shift ? add(output, mul(shift, -1)) : output),
    shift: () => dy,
  }),
});

const ln2 = Math.log(2);

describe("operation", () => {
  afterEach(() => {
    unregisterKernel("ClipscopeSpecExample", getBackend());
  });

  it("computes as defined, with or without its optional input", () => {
    tidy(() => {
      assertValues(example({ x: scalar(ln2) }, { factor: 3 }), 6);
      assertValues(example({ x: scalar(ln2), shift: scalar(10) }, { factor: 3 }), 16);
    });
  });

  it("has the gradient of its definition, and none for an input that is left out", () => {
    tidy(() => {
      const x = scalar(ln2);
      const [both, shift] = gradientsOf(
        (x: Scalar, shift: Scalar) => example({ x, shift }, { factor: 3 }),
        [x, scalar(10)],
        scalar(2),
      );
      assertValues(both!, 12); // 2 · 3 · e^ln 2
      assertValues(shift!, 2);
      const [alone] = gradientsOf((x: Scalar) => example({ x }, { factor: 3 }), [x], scalar(2));
      assertValues(alone!, 12);
    });
  });

  it("runs the kernel that replaces it on the current backend", () => {
    tidy(() => {
      const before = example({ x: scalar(0) }, { factor: 1 });
      replaceOperation<ExampleInputs>(
        { name: "ClipscopeSpecExample", inputs: ["x", "shift"] },
        getBackend(),
        ({ x, shift }, { factor }) => {
          assert.equal(shift, undefined);
          return scalar(x.dataSync()[0]! + 100 * (factor as number));
        },
      );
      assertValues(before, 1);
      assertValues(example({ x: scalar(7) }, { factor: 2 }), 207);
    });
  });

  it("leaves no intermediate value behind", () => {
    const x = scalar(0);
    const before = memory().numTensors;
    const y = example({ x, shift: x }, { factor: 1 });
    assert.equal(memory().numTensors, before + 1);
    for (const tensor of [x, y]) tensor.dispose();
  });
});
