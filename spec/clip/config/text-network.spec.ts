import assert from "node:assert/strict";
import { findTextNetwork, type TextNetwork } from "../../../lib/clip/config/text-network.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";

const sizes = {
  vocab_size: 100,
  hidden_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 80,
  type_vocab_size: 2,
};

const find = (json: unknown, name = "text"): Promise<TextNetwork> =>
  findTextNetwork(JsonValue.of(name, "model_cfg"), () =>
    Promise.resolve(json === null ? null : { json, path: "text/config.json" }),
  );

describe("findTextNetwork", () => {
  it("reads BERT, whose padding is 0, with what is left of Google's config", async () => {
    const leftovers = { directionality: "bidi", pooler_type: "first_token_transform" };
    assert.deepEqual(await find({ ...sizes, ...leftovers, model_type: "bert", pad_token_id: null }), {
      kind: "bert",
      network: {
        vocabSize: 100,
        width: 32,
        layers: 1,
        heads: 2,
        mlpWidth: 64,
        positions: 80,
        tokenTypes: 2,
        layerNormEpsilon: 1e-12,
        padId: 0,
        dropout: { hidden: 0.1, attention: 0.1 },
      },
    });
  });

  it("reads RoBERTa as XLM-RoBERTa, whose padding is 1 and cannot be 0", async () => {
    const { kind, network } = await find({ ...sizes, model_type: "roberta" });
    assert.deepEqual([kind, network.padId], ["xlm-roberta", 1]);
    await assert.rejects(find({ ...sizes, model_type: "roberta", pad_token_id: 0 }), /pad_token_id/);
  });

  it("knows the published networks by name, and no others", async () => {
    assert.equal((await find(null, "xlm-roberta-base")).network.layers, 12);
    await assert.rejects(
      find(null),
      /a folder of the model directory with a config\.json, or one of xlm-roberta-large/,
    );
  });
});
