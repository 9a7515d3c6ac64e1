import assert from "node:assert/strict";
import { BertTextTower } from "../../../../lib/clip/text/bert/bert-text-tower.ts";
import type { BertTextConfig } from "../../../../lib/clip/config/clip-config.ts";
import { exampleRoberta, exampleRobertaText } from "../../../support/example-config.ts";
import { exampleEmbedded, exampleEmbeddings, under } from "../../../support/example-weights.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

const config: BertTextConfig = {
  ...exampleRobertaText,
  kind: "bert",
  pooler: "cls_last_hidden_state_pooler",
  network: { ...exampleRoberta, layers: 0, layerNormEpsilon: 15 },
};

describe("BertTextTower", () => {
  it("gives the first token the first row of the position table, where XLM-R's has row padId + 1", () => {
    const rows = exampleEmbeddings["position_embeddings.weight"] as readonly (readonly number[])[];
    const shifted = {
      ...exampleEmbeddings,
      "position_embeddings.weight": [...rows.slice(2), ...rows.slice(0, 2)],
    };
    return withLayer(
      { ...under("transformer.embeddings", shifted), "proj.weight": [[1, 1]] },
      (scope) => new BertTextTower(scope, config, 1),
      (tower) => {
        const { start, word, end } = exampleEmbedded;
        assertValues(tower.embed(tower.batch([[0, 3, 2]])), [[start, word, end]]);
        assert.equal(tower.maxTokens, 6);
      },
      (tower) => tower.embedWeights(tower.batch([[0, 3, 2]])),
    );
  });
});
