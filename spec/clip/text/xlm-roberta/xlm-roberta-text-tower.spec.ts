import assert from "node:assert/strict";
import { tensor3d } from "@tensorflow/tfjs-core";
import { XlmRobertaTextTower } from "../../../../lib/clip/text/xlm-roberta/xlm-roberta-text-tower.ts";
import type { XlmRobertaTextConfig } from "../../../../lib/clip/config/clip-config.ts";
import { maskedScore } from "../../../../lib/nn/scaled-dot-product-attention.ts";
import type { WeightScope } from "../../../../lib/tensor/model-weights.ts";
import { exampleRoberta, exampleRobertaText } from "../../../support/example-config.ts";
import {
  exampleEmbedded,
  exampleEmbeddings,
  exampleRobertaLayer,
  under,
} from "../../../support/example-weights.ts";
import { assertValues, withLayer, type ExampleWeights } from "../../../support/layers.ts";
import { runLoaded } from "../../../../lib/nn/stages.ts";

/** Without layers: the embeddings, a pooler and a projection. */
const noLayers: XlmRobertaTextConfig = {
  ...exampleRobertaText,
  network: { ...exampleRoberta, layers: 0, layerNormEpsilon: 15 },
};
const embeddings = under("transformer.embeddings", exampleEmbeddings);
const rows = [[0, 3, 2], [0]]; // prettier-ignore

const build =
  (config: XlmRobertaTextConfig, embedDim = 1) =>
  (scope: WeightScope): XlmRobertaTextTower =>
    new XlmRobertaTextTower(scope, config, embedDim);

describe("XlmRobertaTextTower", () => {
  it("embeds texts as the projected mean of their tokens", () =>
    withLayer(
      { ...embeddings, "proj.weight": [[12, 4]] },
      build(noLayers),
      (tower) => {
        // Means: (start + word + end) / 3 = [−7/24, 7/24] and start = [−¼, ¼]. Projected: 12 x + 4 y.
        assertValues(runLoaded(tower, tower.batch(rows)), [[-8 * (7 / 24)], [-2]]);
      },
      (tower) => tower.embedWeights(tower.batch(rows)),
    ));

  it("runs its layers with the mask, so that padding does not change a text", () =>
    withLayer(
      {
        ...embeddings,
        ...under("transformer.encoder.layer.0", exampleRobertaLayer),
        "proj.weight": [[12, 4]],
      },
      build({ ...exampleRobertaText, network: { ...exampleRoberta, layerNormEpsilon: 15 } }),
      (tower) => {
        // The second text is one token, so that attention doubles it: [−½, ½], variance ¼; then it is normalised twice.
        const once = 0.5 / Math.sqrt(0.25 + 15);
        const twice = once / Math.sqrt(once ** 2 + 15);
        const [, second] = runLoaded(tower, tower.batch(rows)).arraySync();
        assertValues(second!, [-12 * twice + 4 * twice], 1e-7);
      },
      (tower) => tower.embedWeights(tower.batch(rows)),
    ));

  it("masks padding for every token of its text", () =>
    withLayer({ ...embeddings, "proj.weight": [[1, 1]] }, build(noLayers), (tower) => {
      const mask = [[[[0, 0, 0]]], [[[0, maskedScore, maskedScore]]]];
      assertValues(tower.mask(tower.batch(rows)), mask);
    }));

  const { start, word, end } = exampleEmbedded;
  const hidden = [[start, word, end]];
  const identity = [[1, 0], [0, 1]]; // prettier-ignore
  const pooled: Record<XlmRobertaTextConfig["pooler"], { weights: ExampleWeights; expected: number[] }> = {
    mean_pooler: { weights: {}, expected: [-7 / 24, 7 / 24] },
    cls_last_hidden_state_pooler: { weights: {}, expected: [-1 / 4, 1 / 4] },
    cls_pooler: {
      weights: under("transformer.pooler.dense", { weight: identity, bias: [0, 0] }),
      expected: [Math.tanh(-1 / 4), Math.tanh(1 / 4)],
    },
  };
  for (const pooler of ["mean_pooler", "cls_last_hidden_state_pooler", "cls_pooler"] as const) {
    it(`reads out with ${pooler}, and without a projection if the config has none`, () =>
      withLayer(
        { ...embeddings, ...pooled[pooler].weights },
        build({ ...noLayers, pooler, projection: "none" }, 2),
        (tower) => {
          assertValues(tower.readOut(tensor3d(hidden), tower.batch([[0, 3, 2]])), [pooled[pooler].expected]);
          assert.deepEqual(tower.identities, [".proj"]);
        },
      ));
  }

  it("projects with the MLP of the config", () =>
    withLayer(
      { ...embeddings, "proj.0.weight": identity, "proj.2.weight": [[4, 0], [0, 1]] }, // prettier-ignore
      build({ ...noLayers, pooler: "cls_last_hidden_state_pooler", projection: "mlp" }, 2),
      (tower) => {
        // GELU(¼) = ¼ · 0.5987063, GELU(−¼) = −¼ · 0.4012937
        const expected = [-0.4012937, 0.25 * 0.5987063];
        assertValues(tower.readOut(tensor3d(hidden), tower.batch([[0, 3, 2]])), [expected]);
        assert.deepEqual(tower.identities, []);
      },
    ));

  it("has positions for fewer tokens than its table has rows, by padId + 1", () =>
    withLayer({ ...embeddings, "proj.weight": [[1, 1]] }, build(noLayers), (tower) => {
      assert.equal(tower.maxTokens, 6 - 2);
      assert.throws(
        () => tower.batch([[0, 3, 3, 3, 2]]),
        /has 5 tokens, the text network has positions for 4/,
      );
    }));
});
