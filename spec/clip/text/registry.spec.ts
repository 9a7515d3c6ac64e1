import assert from "node:assert/strict";
import { BertTextTower } from "../../../lib/clip/text/bert/bert-text-tower.ts";
import { ClipTextTower } from "../../../lib/clip/text/clip/clip-text-tower.ts";
import { textTower } from "../../../lib/clip/text/registry.ts";
import { XlmRobertaTextTower } from "../../../lib/clip/text/xlm-roberta/xlm-roberta-text-tower.ts";
import type { TextConfig } from "../../../lib/clip/config/clip-config.ts";
import { ModelWeights } from "../../../lib/tensor/model-weights.ts";
import { exampleClipText, exampleConfig, exampleRobertaText } from "../../support/example-config.ts";
import { ExampleStore } from "../../support/layers.ts";

describe("textTower", () => {
  for (const { text, tower, first } of [
    {
      text: exampleRobertaText,
      tower: XlmRobertaTextTower,
      first: "text.transformer.embeddings.word_embeddings.weight",
    },
    {
      text: { ...exampleRobertaText, kind: "bert" } satisfies TextConfig,
      tower: BertTextTower,
      first: "text.transformer.embeddings.word_embeddings.weight",
    },
    { text: exampleClipText, tower: ClipTextTower, first: "text.token_embedding.weight" },
    {
      text: { ...exampleClipText, prefix: "" } satisfies TextConfig,
      tower: ClipTextTower,
      first: "token_embedding.weight",
    },
  ]) {
    it(`builds ${tower.name}, whose first weight is ${first}`, () => {
      const weights = new ModelWeights(new ExampleStore({}));
      const built = textTower(weights.root, { ...exampleConfig, text });
      assert.ok(built instanceof tower);
      assert.equal([...weights.declared.keys()][0], first);
    });
  }
});
