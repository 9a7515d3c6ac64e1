import assert from "node:assert/strict";
import type { ClipConfig } from "../../lib/clip/config/clip-config.ts";
import { buildNetwork, declaredTensors, networkOutline } from "../../lib/clip/network.ts";
import { XlmRobertaTextTower } from "../../lib/clip/text/xlm-roberta/xlm-roberta-text-tower.ts";
import { ModelWeights } from "../../lib/tensor/model-weights.ts";
import { exampleConfig, exampleRoberta, exampleRobertaText } from "../support/example-config.ts";
import { ExampleStore } from "../support/layers.ts";

describe("declaredTensors", () => {
  it("lists the image tower, the text tower and the logit scale in PyTorch's names and shapes", () => {
    const block = [
      ["ln_1.weight", [2]],
      ["ln_1.bias", [2]],
      ["attn.in_proj_weight", [6, 2]],
      ["attn.in_proj_bias", [6]],
      ["attn.out_proj.weight", [2, 2]],
      ["attn.out_proj.bias", [2]],
      ["ln_2.weight", [2]],
      ["ln_2.bias", [2]],
      ["mlp.c_fc.weight", [2, 2]],
      ["mlp.c_fc.bias", [2]],
      ["mlp.c_proj.weight", [2, 2]],
      ["mlp.c_proj.bias", [2]],
    ] as const;
    const of = (tower: string): [string, readonly number[]][] =>
      block.map(([name, shape]) => [`${tower}.transformer.resblocks.0.${name}`, shape]);
    assert.deepEqual(
      [...declaredTensors(exampleConfig)],
      [
        ["visual.conv1.weight", [2, 3, 1, 1]],
        ["visual.class_embedding", [2]],
        ["visual.positional_embedding", [3, 2]],
        ["visual.ln_pre.weight", [2]],
        ["visual.ln_pre.bias", [2]],
        ...of("visual"),
        ["visual.ln_post.weight", [2]],
        ["visual.ln_post.bias", [2]],
        ["visual.proj", [2, 3]],
        ["text.token_embedding.weight", [5, 2]],
        ["text.positional_embedding", [3, 2]],
        ...of("text"),
        ["text.ln_final.weight", [2]],
        ["text.ln_final.bias", [2]],
        ["text.text_projection", [2, 3]],
        ["logit_scale", []],
      ],
    );
  });

  it("takes a logit scale of one element if the config says so", () => {
    const shapes = declaredTensors({ ...exampleConfig, nonscalarLogitScale: true });
    assert.deepEqual(shapes.get("logit_scale"), [1]);
  });
});

describe("buildNetwork", () => {
  it("reads nothing", () => {
    const store = new ExampleStore({ logit_scale: 1 });
    buildNetwork(new ModelWeights(store).root, exampleConfig);
    assert.deepEqual(store.reads, []);
  });

  // All fixtures have 1e-5 in both towers, so that parity specs would not notice a mix-up.
  it("gives each LayerNorm the ε of its tower's config", () => {
    const network = { ...exampleRoberta, layers: 2, layerNormEpsilon: 0.125 };
    const config: ClipConfig = {
      ...exampleConfig,
      vision: { ...exampleConfig.vision, layers: 2, layerNormEpsilon: 0.25 },
      text: { ...exampleRobertaText, network },
    };
    const { visual, text } = networkOutline(config);
    assert.ok(text instanceof XlmRobertaTextTower);
    const { embeddings, encoder } = text.transformer;
    const inText = [
      embeddings.layerNorm,
      ...encoder.layer.flatMap(({ attention, output }) => [attention.output.layerNorm, output.layerNorm]),
    ];
    const inImages = [
      visual.lnPre!,
      ...visual.transformer.resblocks.flatMap(({ ln1, ln2 }) => [ln1, ln2]),
      visual.lnPost,
    ];
    assert.deepEqual(
      inText.map(({ epsilon }) => epsilon),
      Array(5).fill(0.125),
    );
    assert.deepEqual(
      inImages.map(({ epsilon }) => epsilon),
      Array(6).fill(0.25),
    );
  });
});
