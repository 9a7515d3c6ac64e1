import assert from "node:assert/strict";
import { tensor3d, tensor4d } from "@tensorflow/tfjs-core";
import { VisionTransformer } from "../../../lib/clip/vision/vision-transformer.ts";
import type { WeightScope } from "../../../lib/tensor/model-weights.ts";
import { exampleConfig } from "../../support/example-config.ts";
import { exampleBlock, under } from "../../support/example-weights.ts";
import { assertValues, tapsOf, withLayer } from "../../support/layers.ts";
import { runLoaded } from "../../../lib/nn/stages.ts";

/** Two patches of one pixel; a patch's vector is its red and its green. */
const weights = under("visual", {
  "conv1.weight": [
    [[[1]], [[0]], [[0]]],
    [[[0]], [[1]], [[0]]],
  ],
  class_embedding: [22, 8],
  positional_embedding: [[0, 2], [1, 0], [0, 6]], // prettier-ignore
  "ln_pre.weight": [1, 1],
  "ln_pre.bias": [0, 10],
  ...under("transformer.resblocks.0", exampleBlock),
  "ln_post.weight": [2, 3],
  "ln_post.bias": [1, 1],
  proj: [[1, 10, 100], [0, 1, 0]], // prettier-ignore
});
const build = (root: WeightScope): VisionTransformer =>
  new VisionTransformer(root.at("visual"), exampleConfig);

/** Red 1 and 5, green 3 and 1. */
const pixels = [[[[1, 5]], [[3, 1]], [[99, 99]]]];

describe("VisionTransformer", () => {
  it("embeds the class token and the patches, adds positions, and normalises", () =>
    withLayer(weights, build, (tower) => {
      const taps = tapsOf(() => {
        // [22, 10], [2, 3] and [5, 7], normalised, and β.
        assertValues(tower.embed(tensor4d(pixels)), [[[1, 9], [-1, 11], [-1, 11]]]); // prettier-ignore
      });
      assertValues(taps["visual#positioned"]!, [[[22, 10], [1 + 1, 3 + 0], [5 + 0, 1 + 6]]]); // prettier-ignore
    }));

  it("has no norm before the blocks if the config says so, and reports it as an identity", () => {
    const bare = Object.fromEntries(Object.entries(weights).filter(([name]) => !name.includes("ln_pre")));
    const vision = { ...exampleConfig.vision, hasLnPre: false };
    return withLayer(
      bare,
      (root) => new VisionTransformer(root.at("visual"), { ...exampleConfig, vision }),
      (tower) => {
        assertValues(tower.embed(tensor4d(pixels)), [[[22, 10], [2, 3], [5, 7]]]); // prettier-ignore
        assert.deepEqual(tower.identities, ["visual.ln_pre"]);
      },
    );
  });

  it("reads out the normalised class token, projected", () =>
    withLayer(weights, build, (tower) => {
      // [3, 1] → [1, −1] → [2 + 1, −3 + 1] = [3, −2]; times proj: [3, 30 − 2, 300].
      const x = tensor3d([[[3, 1], [9, 8]], [[1, 3], [5, 4]]]); // prettier-ignore
      assertValues(tower.readOut(x), [[3, 28, 300], [-1, -10 + 4, -100]]); // prettier-ignore
    }));

  it("lets every token attend to every token, from pixels to embedding", () =>
    withLayer(weights, build, (tower) => {
      const taps = tapsOf(() => {
        // Normalised, the class token [1, 9] is [−1, 1], as are both patches. So is their mean, which attention adds:
        // [0, 10]. ln_post: [−1, 1] → [−1, 4]; times proj: [−1, −10 + 4, −100].
        assertValues(runLoaded(tower, tensor4d(pixels)), [[-1, -6, -100]]);
      });
      assertValues(taps["visual.transformer"]!, [[[0, 10], [-2, 12], [-2, 12]]]); // prettier-ignore
    }));

  it("embeds each image of a batch on its own", () =>
    withLayer(weights, build, (tower) => {
      // [0 + 1, 7], [3, 1 + 6]: both grow. The class token is the same for all images.
      const batch = tensor4d([pixels[0]!, [[[0, 3]], [[7, 1]], [[0, 0]]]]);
      const expected = [[1, 9], [-1, 11], [-1, 11]]; // prettier-ignore
      assertValues(tower.embed(batch), [expected, expected]);
      assertValues(tower.conv1.apply(batch), [[[[1, 5]], [[3, 1]]], [[[0, 3]], [[7, 1]]]]); // prettier-ignore
    }));
});
