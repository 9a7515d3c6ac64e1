import assert from "node:assert/strict";
import { cnClipByShapes, readLayout, type Layout } from "../../../lib/checkpoint/layouts/index.ts";
import { parseClipConfig } from "../../../lib/clip/config/open-clip.ts";
import { declaredTensors } from "../../../lib/clip/network.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";
import { SyntheticStore } from "../../../lib/tensor/synthetic.ts";

type Json = Record<string, unknown>;

function layoutOf(config: Json, preprocessor?: Json): Layout {
  const layout = readLayout({
    config: JsonValue.of(config, "config.json"),
    preprocessor:
      preprocessor === undefined ? undefined : JsonValue.of(preprocessor, "preprocessor_config.json"),
  });
  assert.ok(layout !== undefined);
  return layout;
}

async function parametersOf({ config, textNetwork }: Layout): Promise<number> {
  const parsed = await parseClipConfig(config.model_cfg, "config.json", () =>
    Promise.resolve(textNetwork === null ? null : { json: textNetwork, path: "config.json" }),
  );
  return [...declaredTensors(parsed).values()].reduce(
    (sum, shape) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

// The sizes of the published models; everything else is the default of transformers' classes.
const chineseText = { model_type: "chinese_clip_text_model", vocab_size: 21128 };
const chineseBase: Json = {
  model_type: "chinese_clip",
  projection_dim: 512,
  text_config: chineseText,
  vision_config: { model_type: "chinese_clip_vision_model", patch_size: 16 },
};
const chineseHuge: Json = {
  model_type: "chinese_clip",
  projection_dim: 1024,
  text_config: {
    ...chineseText,
    hidden_size: 1024,
    intermediate_size: 4096,
    num_attention_heads: 16,
    num_hidden_layers: 24,
  },
  vision_config: {
    hidden_size: 1280,
    intermediate_size: 5120,
    num_attention_heads: 16,
    num_hidden_layers: 32,
    patch_size: 14,
  },
};
const italian: Json = {
  model_type: "vision-text-dual-encoder",
  projection_dim: 512,
  text_config: { model_type: "bert", vocab_size: 32102 },
  vision_config: { model_type: "clip_vision_model" },
};
const japanese: Json = {
  model_type: "clip",
  projection_dim: 512,
  text_config: {
    model_type: "roberta",
    vocab_size: 32000,
    max_position_embeddings: 514,
    type_vocab_size: 2,
    pad_token_id: 3,
    layer_norm_eps: 1e-5,
  },
  vision_config: { model_type: "vit" },
};
const openai: Json = { model_type: "clip" };

describe("readLayout", () => {
  // Counts of the published files (the specification of the comparators); ViT's patch bias has no counterpart.
  const published: readonly (readonly [string, Json, number])[] = [
    ["Chinese-CLIP ViT-B/16", chineseBase, 188_262_913],
    ["Chinese-CLIP ViT-H/14", chineseHuge, 957_598_209],
    ["clip-italian", italian, 198_938_113],
    ["rinna's CLIP", japanese, 196_613_377 - 768],
    ["OpenAI's ViT-B/32, all defaults", { ...openai, text_config: { eos_token_id: 2 } }, 151_277_313],
  ];
  for (const [name, config, parameters] of published) {
    it(`has the published parameters of ${name}`, async () => {
      assert.equal(await parametersOf(layoutOf(config)), parameters);
    });
  }

  it("passes over configs of other kinds", () => {
    for (const type of ["bert", 7, null, "constructor"]) {
      const config = JsonValue.of({ model_type: type }, "config.json");
      assert.equal(readLayout({ config, preprocessor: undefined }), undefined);
    }
  });

  it("prefers the repeated configs of old files", () => {
    const { config } = layoutOf({
      ...openai,
      text_config: { eos_token_id: 2 },
      vision_config_dict: { patch_size: 16 },
    });
    assert.equal((config.model_cfg["vision_cfg"] as Json)["patch_size"], 16);
  });

  it("keeps a width inside the MLP that open_clip's ratio would round down", async () => {
    const vision_config = { hidden_size: 1152, intermediate_size: 4304, num_attention_heads: 16 };
    const { config } = layoutOf({ ...chineseBase, vision_config });
    const { vision } = await parseClipConfig(config.model_cfg, "c", () =>
      Promise.resolve({ json: layoutOf(chineseBase).textNetwork, path: "t" }),
    );
    assert.equal(vision.mlpWidth, 4304);
  });

  it("reads preprocessing: squash, shortest edge and crop, statistics", () => {
    const cfg = (config: Json, preprocessor?: Json): unknown =>
      layoutOf(config, preprocessor).config.preprocess_cfg;
    const squash = { interpolation: "bicubic", resize_mode: "squash" };
    assert.deepEqual(cfg(chineseBase), squash);
    assert.deepEqual(cfg(chineseBase, { size: 224, resample: 3 }), squash); // its first revision
    assert.deepEqual(cfg(chineseBase, { size: { height: 224, width: 224 }, do_center_crop: false }), squash);
    assert.deepEqual(cfg(japanese), { interpolation: "bilinear", resize_mode: "shortest" });
    assert.deepEqual(
      cfg(italian, {
        size: 224,
        crop_size: 224,
        resample: 2,
        image_mean: [0.5, 0.5, 0.5],
        image_std: [1, 1, 1],
      }),
      { interpolation: "bilinear", resize_mode: "shortest", mean: [0.5, 0.5, 0.5], std: [1, 1, 1] },
    );
  });

  const vision = chineseBase["vision_config"] as Json;
  const refused: readonly (readonly [string, Json, RegExp, Json?])[] = [
    [
      "another image tower",
      { ...italian, vision_config: { model_type: "deit" } },
      /vision_config\.model_type to be "clip_vision_model", found "deit"/,
    ],
    [
      "another text tower",
      { ...italian, text_config: { model_type: "roberta" } },
      /text_config\.model_type to be "bert", found "roberta"/,
    ],
    [
      "CLIP's image tower in rinna's model",
      { ...japanese, vision_config: { model_type: "clip_vision_model" } },
      /text_config\.model_type to be "clip_text_model"/,
    ],
    [
      "another activation of the text",
      { ...chineseBase, text_config: { hidden_act: "relu" } },
      /text_config\.hidden_act to be "gelu"/,
    ],
    [
      "relative positions",
      { ...chineseBase, text_config: { position_embedding_type: "relative_key" } },
      /position_embedding_type/,
    ],
    [
      "another activation of the image",
      { ...chineseBase, vision_config: { ...vision, hidden_act: "gelu_new" } },
      /vision_config\.hidden_act/,
    ],
    [
      "a ViT without biases",
      { ...japanese, vision_config: { model_type: "vit", qkv_bias: false } },
      /qkv_bias to be true or absent/,
    ],
    [
      "heads that do not divide",
      { ...chineseBase, vision_config: { num_attention_heads: 7 } },
      /num_attention_heads to be a divisor of hidden_size 768, found 7/,
    ],
    [
      "two activations",
      { ...openai, text_config: { eos_token_id: 2, hidden_act: "gelu" } },
      /one hidden_act for both towers/,
    ],
    [
      "an end of text that is not the largest id",
      { ...openai, text_config: { vocab_size: 60000 } },
      /eos_token_id to be 2 or the largest id 59999/,
    ],
    [
      "another crop",
      italian,
      /crop_size to be the image size of config\.json, 224, found 256/,
      { crop_size: 256 },
    ],
    [
      "another resampling",
      italian,
      /resample to be 2 \(bilinear\) or 3 \(bicubic\), found 1/,
      { resample: 1 },
    ],
    ["no normalisation", italian, /do_normalize/, { do_normalize: false }],
  ];
  for (const [what, config, message, preprocessor] of refused) {
    it(`refuses ${what} by name`, () => {
      assert.throws(
        () => layoutOf(config, preprocessor),
        (error: unknown) => error instanceof InputError && message.test(error.message),
        what,
      );
    });
  }

  it("refuses the biases of projections, which OpenCLIP's models do not have", async () => {
    const names = ["visual_projection.bias", "vision_model.embeddings.class_embedding"];
    const store = new SyntheticStore(names.map((name) => [name, [4]]));
    await assert.rejects(
      async () => layoutOf({ ...openai, text_config: { eos_token_id: 2 } }).translate(store),
      (error: unknown) =>
        error instanceof InputError &&
        error.details.some((line) => line === "unexpected  visual_projection.bias [4]"),
    );
  });
});

describe("cnClipByShapes", () => {
  it("refuses ResNets", () => {
    const store = new SyntheticStore([["visual.layer1.0.conv1.weight", [4]]]);
    assert.throws(() => cnClipByShapes(store), /a ResNet image tower is not supported/);
  });

  it("refuses widths whose heads cannot be inferred", () => {
    const names = ["visual.class_embedding", "visual.conv1.weight", "visual.positional_embedding"];
    const others = [
      "visual.transformer.resblocks.0.mlp.c_fc.weight",
      "bert.embeddings.word_embeddings.weight",
    ];
    const store = new SyntheticStore(
      [...names, ...others, "text_projection"].map((name) => [name, [100, 3, 2]]),
    );
    assert.throws(
      () => cnClipByShapes(store),
      /cannot infer the heads of a width of 100; put the model's config\.json/,
    );
  });
});
