import { tensor3d, type Tensor3D } from "@tensorflow/tfjs-core";
import { Transformer } from "../../lib/clip/transformer.ts";
import { exampleTransformer } from "../support/example-config.ts";
import { exampleBlock, under } from "../support/example-weights.ts";
import { assertValues, withLayer } from "../support/layers.ts";

describe("Transformer", () => {
  it("holds the blocks of its config in order, each with its own weights", () =>
    withLayer(
      {
        ...under("resblocks.0", { ...exampleBlock, "mlp.c_proj.bias": [10, 0] }),
        ...under("resblocks.1", { ...exampleBlock, "mlp.c_proj.bias": [0, 100] }),
      },
      (scope) => new Transformer(scope, { ...exampleTransformer, layers: 2 }, false),
      ({ resblocks }) => {
        // A block adds the normalised token, and its bias: [1, 3] + [−1, 1] + [10, 0] = [10, 4], whose norm is [1, −1].
        const streams: Tensor3D[] = [tensor3d([[[1, 3]]])];
        for (const block of resblocks) streams.push(block.apply(streams.at(-1)!));
        assertValues(streams[1]!, [[[10, 4]]]);
        assertValues(streams[2]!, [[[11, 103]]]);
      },
    ));
});
