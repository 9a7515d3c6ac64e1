import assert from "node:assert/strict";
import { tensor4d, tidy } from "@tensorflow/tfjs-core";
import { PatchEmbedding } from "../../../lib/clip/vision/patch-embedding.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { SyntheticStore, syntheticValues } from "../../../lib/tensor/synthetic.ts";
import { ModelWeights } from "../../../lib/tensor/model-weights.ts";
import { exampleConfig } from "../../support/example-config.ts";
import { assertValues, withLayer } from "../../support/layers.ts";
import { loadAll } from "../../../lib/tensor/weight.ts";

describe("PatchEmbedding", () => {
  it("multiplies each patch with each channel's filter", () =>
    withLayer(
      {
        weight: [
          [[[1, 2], [3, 4]], [[0, 0], [0, 0]], [[0, 0], [0, 10]]], // red by position, and blue at the lower right
          [[[0, 0], [0, 0]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]], // the sum of green
        ],
      },
      (scope) => new PatchEmbedding(scope, { ...exampleConfig.vision, patchSize: [2, 2] }),
      (layer) => {
        // Two patches side by side. Red: 1 in the left one, 2 + 3 + 4 in the right one.
        const red = [[1, 0, 0, 1], [0, 0, 1, 1]];
        const green = [[1, 1, 1, 1], [1, 1, 5, 5]];
        const blue = [[7, 7, 7, 7], [7, 1, 7, 2]];
        const grid = [[[1 + 10, 9 + 20]], [[4, 12]]];
        assertValues(layer.apply(tensor4d([[red, green, blue]])), [grid]);
      },
    )); // prettier-ignore

  it("ignores incomplete patches at the right and bottom edges", async () => {
    const [height, width, patch, channels] = [8, 11, 3, 5];
    const weights = new ModelWeights(new SyntheticStore([["weight", [channels, 3, patch, patch]]]));
    const layer = new PatchEmbedding(weights.root, {
      imageSize: [height, width],
      patchSize: [patch, patch],
      width: channels,
      layers: 1,
      heads: 1,
      mlpWidth: 1,
      layerNormEpsilon: 1e-5,
      hasLnPre: true,
    });
    await loadAll([weights.root]);
    const kernel = layer.weight.asStored(layer.weight.tensor).dataSync(); // [channels, 3, patch, patch]
    const pixels = syntheticValues("input.image", [3, height, width], 1, 3 * height * width);
    const [rows, columns] = [2, 3];
    const expected = Float64Array.from({ length: channels * rows * columns }, (_, at) => {
      const [channel, row, column] = [
        Math.floor(at / (rows * columns)),
        Math.floor(at / columns) % rows,
        at % columns,
      ];
      let total = 0;
      for (let colour = 0; colour < 3; colour++) {
        for (let y = 0; y < patch; y++) {
          for (let x = 0; x < patch; x++) {
            const pixel = pixels[(colour * height + row * patch + y) * width + column * patch + x]!;
            total += pixel * kernel[((channel * 3 + colour) * patch + y) * patch + x]!;
          }
        }
      }
      return total;
    });
    tidy(() => {
      const patches = layer.apply(tensor4d(pixels, [1, 3, height, width]));
      assert.deepEqual(patches.shape, [1, channels, rows, columns]);
      const { relativeL2 } = compare(patches.dataSync(), expected);
      assert.ok(relativeL2 < 2e-6, `relative L2 ${relativeL2}`);
    });
    weights.dispose();
  });
});
