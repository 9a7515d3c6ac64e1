import { strict as assert } from "node:assert";
import type { ClipConfig, XlmRobertaTextConfig } from "../../../lib/clip/config/clip-config.ts";
import { architectureByName, parseClipConfig } from "../../../lib/clip/config/open-clip.ts";
import { declaredTensors } from "../../../lib/clip/network.ts";
import { InputError } from "../../../lib/errors/input-error.ts";

async function parse(
  modelConfig: unknown,
  textNetwork: unknown = null,
): Promise<ClipConfig & { readonly text: XlmRobertaTextConfig }> {
  const parsed = await parseAny(modelConfig, textNetwork);
  assert.ok(parsed.text.kind === "xlm-roberta");
  return { ...parsed, text: parsed.text };
}

async function parseAny(modelConfig: unknown, textNetwork: unknown = null): Promise<ClipConfig> {
  return parseClipConfig(modelConfig, "open_clip_config.json: model_cfg", () =>
    Promise.resolve(textNetwork === null ? null : { json: textNetwork, path: "text/config.json" }),
  );
}

const vision = { image_size: 224, layers: 2, width: 64, head_width: 32, patch_size: 14 };
const text = { hf_model_name: "text" };
const roberta = {
  model_type: "xlm-roberta",
  vocab_size: 100,
  hidden_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 80,
  type_vocab_size: 1,
  pad_token_id: 1,
};
const config = { embed_dim: 16, vision_cfg: vision, text_cfg: text };

describe("the published architectures", () => {
  it("xlm-roberta-large-ViT-H-14 has the published sizes, tensors and parameters", async () => {
    const parsed = await parse(architectureByName("xlm-roberta-large-ViT-H-14"));
    assert.equal(parsed.vision.heads, 16);
    assert.equal(parsed.vision.mlpWidth, 5120);
    assert.equal(parsed.text.contextLength, 77);
    const tensors = declaredTensors(parsed);
    const parameters = (prefix: string): number =>
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .reduce((sum, [, shape]) => sum + shape.reduce((product, size) => product * size, 1), 0);
    // The published checkpoint's totals.
    assert.equal(tensors.size, 784);
    assert.equal(parameters("visual."), 632_076_800);
    assert.equal(parameters("text."), 560_937_984);
    assert.equal(parameters(""), 1_193_014_785);
    assert.deepEqual(tensors.get("visual.conv1.weight"), [1280, 3, 14, 14]);
    assert.deepEqual(tensors.get("text.transformer.embeddings.word_embeddings.weight"), [250002, 1024]);
  });

  it("xlm-roberta-base-ViT-B-32 has open_clip's defaults", async () => {
    const { vision, text } = await parse(architectureByName("xlm-roberta-base-ViT-B-32"));
    assert.deepEqual(vision, {
      imageSize: [224, 224],
      patchSize: [32, 32],
      width: 768,
      layers: 12,
      heads: 12,
      mlpWidth: 3072,
      layerNormEpsilon: 1e-5,
      hasLnPre: true,
    });
    assert.equal(text.projection, "mlp");
  });

  it("the English models have the published parameters", async () => {
    // open_clip's own count (docs/model_profile.csv), in millions.
    const published = { "ViT-H-14": 986.11, "ViT-L-14": 427.62, "ViT-B-16": 149.62, "ViT-B-32": 151.28 };
    for (const [name, millions] of Object.entries(published)) {
      for (const arch of [name, `${name}-quickgelu`]) {
        const config = await parseAny(architectureByName(arch));
        assert.equal(config.quickGelu, arch !== name);
        const tensors = declaredTensors(config);
        const count = [...tensors.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
        assert.equal((count / 1e6).toFixed(2), millions.toFixed(2), arch);
        assert.deepEqual(tensors.get("positional_embedding")?.[0], 77);
      }
    }
  });

  it("the error for an unknown name lists all names", () => {
    assert.throws(
      () => architectureByName("ViT-H-15"),
      (error: unknown) => error instanceof InputError && error.details.includes("xlm-roberta-large-ViT-H-14"),
    );
  });
});

describe("a config", () => {
  it("takes sizes, projection and pooler from the files", async () => {
    const parsed = await parse(
      {
        ...config,
        quick_gelu: true,
        vision_cfg: { ...vision, image_size: [28, 42], mlp_ratio: 2.5 },
        text_cfg: {
          ...text,
          hf_proj_type: "linear",
          hf_pooler_type: "cls_pooler",
          context_length: 30,
          tokenizer_kwargs: { strip_sep_token: true, clean: "canonicalize" },
        },
      },
      { ...roberta, layer_norm_eps: 1e-7 },
    );
    assert.equal(parsed.quickGelu, true);
    assert.deepEqual(parsed.vision.imageSize, [28, 42]);
    assert.equal(parsed.vision.mlpWidth, 160);
    assert.equal(parsed.text.projection, "linear");
    assert.equal(parsed.text.pooler, "cls_pooler");
    assert.equal(parsed.text.contextLength, 30);
    assert.equal(parsed.text.network.layerNormEpsilon, 1e-7);
    assert.deepEqual(parsed.text.tokenizer, {
      kind: "hugging-face",
      folders: ["text"],
      clean: "canonicalize",
      wordPiece: "hugging-face",
      file: null,
      stripSeparator: true,
    });
  });

  it("has image towers without ln_pre, and the ε of norm_kwargs", async () => {
    const vit = { ...vision, no_ln_pre: true, norm_kwargs: { eps: 1e-12 } };
    const parsed = await parseAny({ ...config, vision_cfg: vit, text_cfg: { norm_kwargs: { eps: 1e-6 } } });
    assert.deepEqual([parsed.vision.hasLnPre, parsed.vision.layerNormEpsilon], [false, 1e-12]);
    assert.ok(parsed.text.kind === "clip");
    assert.equal(parsed.text.layerNormEpsilon, 1e-6);
    assert.ok(!declaredTensors(parsed).has("visual.ln_pre.weight"));
  });

  it("treats null as an absent option, and a null projection as no projection", async () => {
    const given = {
      ...config,
      embed_dim: 32,
      vision_cfg: { ...vision, ls_init_value: null, timm_model_name: null },
    };
    const parsed = await parse({ ...given, text_cfg: { ...text, hf_proj_type: null } }, roberta);
    assert.equal(parsed.text.projection, "none");
    assert.equal((await parse(given, roberta)).text.projection, "mlp");
  });

  const refused: readonly [string, unknown, unknown, RegExp][] = [
    ["something other than an object", [], null, /model_cfg: expected an object, found \[\]/],
    ["nothing", undefined, null, /expected an object, found nothing/],
    ["no vision_cfg", { embed_dim: 4 }, null, /expected vision_cfg to be an object, found nothing/],
    [
      "a width as text",
      { ...config, vision_cfg: { ...vision, width: "64" } },
      roberta,
      /vision_cfg\.width to be a whole number of at least 1, found "64"/,
    ],
    [
      "a width that heads do not divide",
      { ...config, vision_cfg: { ...vision, width: 65 } },
      roberta,
      /vision_cfg\.width to be a multiple of head_width 32, found 65/,
    ],
    [
      "too many blocks",
      { ...config, vision_cfg: { ...vision, layers: 1e8 } },
      roberta,
      /vision_cfg\.layers to be a whole number from 1 to 1000, found 100000000/,
    ],
    [
      "too many plain text blocks",
      { ...config, text_cfg: { layers: 1001 } },
      null,
      /text_cfg\.layers to be a whole number from 1 to 1000/,
    ],
    [
      "too many layers in it",
      config,
      { ...roberta, num_hidden_layers: 1e8 },
      /num_hidden_layers to be a whole number from 1 to 1000/,
    ],
    ["a ResNet", { ...config, vision_cfg: { ...vision, layers: [3, 4, 6, 3] } }, roberta, /ResNet/],
    [
      "an option that is not implemented",
      { ...config, vision_cfg: { ...vision, attentional_pool: true } },
      roberta,
      /attentional_pool to be false or absent, found true; other values are not supported/,
    ],
    [
      "layer scale",
      { ...config, vision_cfg: { ...vision, ls_init_value: 0.1 } },
      roberta,
      /ls_init_value to be absent, found 0\.1/,
    ],
    [
      "a timm tower",
      { ...config, vision_cfg: { ...vision, timm_model_name: "vit" } },
      roberta,
      /timm_model_name to be absent, found "vit"/,
    ],
    [
      "a logit bias (SigLIP)",
      { ...config, init_logit_bias: -10 },
      roberta,
      /init_logit_bias to be absent, found -10; the key is unknown/,
    ],
    [
      "a CoCa decoder",
      { ...config, multimodal_cfg: {} },
      roberta,
      /expected multimodal_cfg to be absent, found \{\}/,
    ],
    [
      "an unknown option",
      { ...config, vision_cfg: { ...vision, heads: 4 } },
      roberta,
      /vision_cfg\.heads to be absent, found 4/,
    ],
    [
      "max pooling",
      { ...config, text_cfg: { ...text, hf_pooler_type: "max_pooler" } },
      roberta,
      /"mean_pooler", "cls_pooler" or "cls_last_hidden_state_pooler", found "max_pooler"/,
    ],
    [
      "CLIPS' tokenizer",
      { ...config, text_cfg: { ...text, tokenizer_mode: "clips" } },
      roberta,
      /tokenizer_mode to be "" or absent, found "clips"/,
    ],
    [
      "an unknown tokenizer option",
      { ...config, text_cfg: { ...text, tokenizer_kwargs: { language: "it" } } },
      roberta,
      /text_cfg\.tokenizer_kwargs\.language to be absent, found "it"/,
    ],
    [
      "a negative ε",
      { ...config, vision_cfg: { ...vision, norm_kwargs: { eps: -1 } } },
      roberta,
      /vision_cfg\.norm_kwargs\.eps to be a positive number, found -1/,
    ],
    [
      "norms without weights",
      { ...config, vision_cfg: { ...vision, norm_kwargs: { elementwise_affine: false } } },
      roberta,
      /vision_cfg\.norm_kwargs\.elementwise_affine to be absent, found false/,
    ],
    [
      "no projection between unequal widths",
      { ...config, text_cfg: { ...text, hf_proj_type: "none" } },
      roberta,
      /hf_proj_type to be a projection, .* differs from embed_dim 16/,
    ],
    [
      "a text tower without causal mask",
      { ...config, text_cfg: { no_causal_mask: true } },
      null,
      /no_causal_mask to be false or absent, found true/,
    ],
    [
      "another pooling of plain texts",
      { ...config, text_cfg: { pool_type: "last" } },
      null,
      /pool_type to be "argmax" or absent, found "last"/,
    ],
    [
      "heads that do not divide a plain text tower",
      { ...config, text_cfg: { heads: 7 } },
      null,
      /text_cfg\.width to be a multiple of heads 7, found 512/,
    ],
    [
      "a tokenizer for a plain text tower",
      { ...config, text_cfg: { hf_tokenizer_name: "x" } },
      null,
      /hf_tokenizer_name to be absent, found "x"/,
    ],
    [
      "an unknown text network",
      config,
      null,
      /hf_model_name to be a folder of the model directory .*, found "text"/,
    ],
    [
      "another text network",
      config,
      { ...roberta, model_type: "albert" },
      /text\/config.json: expected model_type to be "xlm-roberta", "roberta" or "bert", found "albert"/,
    ],
    [
      "an approximate GELU in it",
      config,
      { ...roberta, hidden_act: "gelu_new" },
      /hidden_act to be "gelu" or absent, found "gelu_new"/,
    ],
    [
      "relative positions in it",
      config,
      { ...roberta, position_embedding_type: "relative_key" },
      /position_embedding_type/,
    ],
    [
      "heads that do not divide it",
      config,
      { ...roberta, num_attention_heads: 3 },
      /hidden_size to be a multiple of num_attention_heads 3, found 32/,
    ],
  ];
  for (const [what, modelConfig, network, message] of refused) {
    it(`with ${what} is refused by name`, async () => {
      await assert.rejects(parse(modelConfig, network), (error: unknown) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
