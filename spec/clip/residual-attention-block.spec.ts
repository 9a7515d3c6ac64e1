import { tensor3d, tensor4d } from "@tensorflow/tfjs-core";
import { ResidualAttentionBlock } from "../../lib/clip/residual-attention-block.ts";
import { maskedScore } from "../../lib/nn/scaled-dot-product-attention.ts";
import { exampleTransformer } from "../support/example-config.ts";
import { exampleBlock } from "../support/example-weights.ts";
import { assertValues, tapsOf, withLayer } from "../support/layers.ts";

describe("ResidualAttentionBlock", () => {
  it("adds attention of the normalised stream to the stream, and then the MLP of the normalised sum", () =>
    withLayer(
      { ...exampleBlock, "mlp.c_proj.weight": [[1, 0], [0, 1]] }, // prettier-ignore
      (scope) => new ResidualAttentionBlock(scope, exampleTransformer, false),
      (block) => {
        const taps = tapsOf(() => {
          // One token attends to itself: [1, 3] + LayerNorm [−1, 1] = [0, 4]. LayerNorm of [0, 4] = [−1, 1], and
          // GELU of that is [−0.1586553, 0.8413447].
          assertValues(block.apply(tensor3d([[[1, 3]]])), [[[-0.1586553, 4.8413447]]]);
        });
        assertValues(taps["#after_attention"]!, [[[0, 4]]]);
      },
    ));

  it("mixes tokens in attention only, as the mask allows", () =>
    withLayer(
      exampleBlock,
      (scope) => new ResidualAttentionBlock(scope, exampleTransformer, false),
      (block) => {
        const x = tensor3d([
          [
            [1, 3],
            [8, 2],
          ],
        ]); // normalised [−1, 1] and [1, −1], mean [0, 0] // prettier-ignore
        assertValues(block.apply(x), [[[1, 3], [8, 2]]]); // prettier-ignore
        const mask = tensor4d([0, maskedScore, 0, 0], [1, 1, 2, 2]); // causal
        assertValues(block.apply(x, mask), [[[0, 4], [8, 2]]]); // prettier-ignore
      },
    ));

  it("uses QuickGELU if the architecture has it", () =>
    withLayer(
      { ...exampleBlock, "mlp.c_proj.weight": [[1, 0], [0, 1]] }, // prettier-ignore
      (scope) => new ResidualAttentionBlock(scope, exampleTransformer, true),
      (block) => {
        const sigma = 1 / (1 + Math.exp(-1.702)); // QuickGELU([−1, 1]) = [−(1 − σ), σ]
        assertValues(block.apply(tensor3d([[[1, 3]]])), [[[sigma - 1, 4 + sigma]]]);
      },
    ));
});
