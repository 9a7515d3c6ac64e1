import fc from "fast-check";
import { tensor3d, tensor4d, tidy, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import { attentionContext } from "../../../lib/nn/operations/attention-context.ts";
import { attentionSizes, referenceContext, referenceProbabilities } from "../../support/attention.ts";
import { assertValues } from "../../support/layers.ts";
import { assertClose, gradientsOf, numbers, propertyRuns } from "../../support/operations.ts";

/** Two heads, two tokens. Rows are queries. */
const probabilities = [[[[0.25, 0.75], [1, 0]], [[0.5, 0.5], [0, 1]]]]; // prettier-ignore
const value = [[[4, 10], [8, 30]]]; // prettier-ignore

describe("attentionContext", () => {
  it("gives each query the mean of the values, weighted by its probabilities, in each head", () => {
    tidy(() => {
      // Head 1: ¼ · 4 + ¾ · 8 = 7 and 4. Head 2: ½ · 10 + ½ · 30 = 20 and 30.
      const context = attentionContext(tensor4d(probabilities), tensor3d(value));
      assertValues(context, [[[7, 20], [4, 30]]]); // prettier-ignore
    });
  });

  it("has the derivatives C̄ · Vᵀ and Pᵀ · C̄", () => {
    tidy(() => {
      const [dp, dv] = gradientsOf(
        (p: Tensor4D, v: Tensor3D) => attentionContext(p, v),
        [tensor4d(probabilities), tensor3d(value)],
        tensor3d([[[1, 2], [10, 20]]]), // prettier-ignore
      );
      assertValues(dp!, [[[[4, 8], [40, 80]], [[20, 60], [200, 600]]]]); // prettier-ignore
      // Head 1: [¼ · 1 + 1 · 10, ¾ · 1 + 0 · 10]. Head 2: [½ · 2 + 0 · 20, ½ · 2 + 1 · 20].
      assertValues(dv!, [[[10.25, 1], [0.75, 21]]]); // prettier-ignore
    });
  });

  it("is exact to float32 for any sizes", () => {
    fc.assert(
      fc.property(fc.record(attentionSizes), (sizes) => {
        const { batch, heads, length, headWidth } = sizes;
        const count = batch * length * heads * headWidth;
        const rows = Float32Array.from(
          referenceProbabilities(sizes, numbers("q", count), numbers("kk", count), null),
        );
        const values = numbers("vvv", count);
        tidy(() => {
          const ours = attentionContext(
            tensor4d(rows, [batch, heads, length, length]),
            tensor3d(values, [batch, length, heads * headWidth]),
          );
          assertClose(ours, referenceContext(sizes, rows, values), "context");
        });
      }),
      propertyRuns,
    );
  });
});
