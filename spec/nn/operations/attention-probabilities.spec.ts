import fc from "fast-check";
import { tensor3d, tensor4d, tidy, type Tensor3D } from "@tensorflow/tfjs-core";
import { attentionProbabilities } from "../../../lib/nn/operations/attention-probabilities.ts";
import { attentionSizes, maskKinds, randomMask, referenceProbabilities } from "../../support/attention.ts";
import { assertValues } from "../../support/layers.ts";
import { assertClose, gradientsOf, numbers, propertyRuns } from "../../support/operations.ts";

const ln3 = Math.log(3);

describe("attentionProbabilities", () => {
  it("is the softmax of Q · Kᵀ / √headWidth over the keys", () => {
    tidy(() => {
      // Two heads of width 4. Head 1: the scores of query 1 are 0 and 2 ln 3 / √4 = ln 3, so 1 : 3. Head 2: all are 0.
      const query = tensor3d([[[2 * ln3, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]]]); // prettier-ignore
      const key = tensor3d([[[0, 0, 0, 0, 5, 5, 5, 5], [1, 0, 0, 0, 5, 5, 5, 5]]]); // prettier-ignore
      const heads = [[[0.25, 0.75], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]]; // prettier-ignore
      assertValues(attentionProbabilities(2, query, key), [heads]);
    });
  });

  it("adds the mask to the scores", () => {
    tidy(() => {
      const [query, key] = [tensor3d([[[ln3], [0]]]), tensor3d([[[0], [1]]])]; // scores [[0, ln 3], [0, 0]]
      const mask = tensor4d([ln3, 0, 0, -1e9], [1, 1, 2, 2]);
      assertValues(attentionProbabilities(1, query, key, mask), [[[[0.5, 0.5], [1, 0]]]]); // prettier-ignore
    });
  });

  it("has the derivatives of softmax and of the product", () => {
    tidy(() => {
      // One head of width 4: the scores of query 1 are [0, ln 3] and P = [¼, ¾]. P̄ = [8, 0]: Σ P P̄ = 2, so that
      // S̄ = P (P̄ − 2) = [1.5, −1.5]. Query 2 has P̄ = 0.
      const query = tensor3d([[[2 * ln3, 6, 0, 0], [0, 0, 0, 0]]]); // prettier-ignore
      const key = tensor3d([[[0, 0, 0, 0], [1, 0, 0, 8]]]); // prettier-ignore
      const [dq, dk] = gradientsOf(
        (q: Tensor3D, k: Tensor3D) => attentionProbabilities(1, q, k),
        [query, key],
        tensor4d([8, 0, 0, 0], [1, 1, 2, 2]),
      );
      // Q̄ = S̄ · K / 2, K̄ = S̄ᵀ · Q / 2
      assertValues(dq!, [[[-0.75, 0, 0, -6], [0, 0, 0, 0]]]); // prettier-ignore
      assertValues(dk!, [[[1.5 * ln3, 4.5, 0, 0], [-1.5 * ln3, -4.5, 0, 0]]]); // prettier-ignore
    });
  });

  it("is exact to float32 for any sizes and masks", () => {
    fc.assert(
      fc.property(fc.record({ ...attentionSizes, mask: maskKinds }), ({ mask: kind, ...sizes }) => {
        const { batch, heads, length, headWidth } = sizes;
        const count = batch * length * heads * headWidth;
        const [query, key] = [numbers("q", count), numbers("kk", count)];
        const mask = randomMask(kind, sizes);
        const shape: [number, number, number] = [batch, length, heads * headWidth];
        tidy(() => {
          const given = mask ? tensor4d(mask.values, mask.shape) : undefined;
          const ours = attentionProbabilities(heads, tensor3d(query, shape), tensor3d(key, shape), given);
          assertClose(ours, referenceProbabilities(sizes, query, key, mask), "probabilities");
        });
      }),
      propertyRuns,
    );
  });
});
