/**
 * rinna's Japanese CLIP and CLOOB: Hugging Face's ViT and a RoBERTa whose positions count from 0, which makes it a BERT.
 *
 * The bias of the patches has no counterpart in OpenCLIP; added to the positions of the patches it has the same effect.
 *
 * Source: rinnakk/japanese-clip, modeling_clip.py, modeling_cloob.py; transformers, ViTModel and RobertaModel
 */
import type { JsonValue } from "../../json/json-value.ts";
import { bertText } from "./bert-text.ts";
import type { Layout } from "./layout.ts";
import { bertTextOptions, readBert, readVit } from "./network-options.ts";
import { readPreprocessor } from "./preprocessor.ts";
import { constant, copy, copyModule, join, transpose, type Recipe } from "./recipe.ts";
import { nestedConfig, positionIds, type LayoutFiles } from "./source.ts";
import { TranslatedStore } from "./translated-store.ts";

/** The tokenizer is in neither of the two models' repositories. */
const tokenizerRepository = "rinna/japanese-roberta-base";
const contextLength = 77;

export function rinna({ config, preprocessor }: LayoutFiles): Layout {
  const [visionJson, textJson] = [nestedConfig(config, "vision"), nestedConfig(config, "text")];
  visionJson.at("model_type").oneOf("vit");
  const isRoberta = textJson.at("model_type").oneOf("roberta", "bert") === "roberta";
  const vision = readVit(visionJson);
  const bert = readBert(textJson, isRoberta ? { vocab_size: 50265, pad_token_id: 1 } : {});
  const usual = { interpolation: "bilinear", resize_mode: "shortest" } as const;
  const text = bertTextOptions(bert, contextLength, "cls_last_hidden_state_pooler");
  return {
    name: config.at("model_type").value === "cloob" ? "rinna's CLOOB" : "rinna's CLIP",
    config: {
      model_cfg: {
        embed_dim: config.at("projection_dim").or(512).integer(1),
        quick_gelu: vision.activation === "quick_gelu",
        vision_cfg: vision.config,
        text_cfg: { ...text, hf_tokenizer_name: tokenizerRepository },
      },
      preprocess_cfg: readPreprocessor(preprocessor, usual, vision.config["image_size"] as number),
      clipscope: { clean: "none", tokenizer: "spiece.model" },
    },
    textNetwork: bert.config,
    translate(weights) {
      const recipes = new Map([
        ...vit(vision),
        ...bertText({ prefix: "text_model.", layers: bert.layers }),
        ["text.proj.weight", copy("text_projection.weight")],
        ["logit_scale", logitScale(config)],
      ]);
      const isIgnored = (name: string): boolean =>
        positionIds.test(name) || /^(text|vision)_model\.pooler\./.test(name);
      return Promise.resolve({ store: new TranslatedStore(weights, recipes, isIgnored), notes: [] });
    },
  };
}

/** CLOOB has a fixed scale, in its config. */
function logitScale(config: JsonValue): Recipe {
  if (config.at("model_type").value !== "cloob") return copy("logit_scale");
  return constant(Math.log(config.at("init_inv_tau").or(30).number()));
}

function vit({
  layers,
  width,
  tokens,
}: {
  layers: number;
  width: number;
  tokens: number;
}): [string, Recipe][] {
  const [model, patches] = ["vision_model.", "vision_model.embeddings.patch_embeddings.projection"];
  const positions = `${model}embeddings.position_embeddings`;
  const sum: Recipe = {
    kind: "sum",
    from: positions,
    shape: [tokens, width],
    vector: `${patches}.bias`,
    first: 1,
  };
  return [
    ["visual.conv1.weight", copy(`${patches}.weight`)],
    ["visual.class_embedding", copy(`${model}embeddings.cls_token`, [width])],
    ["visual.positional_embedding", sum],
    ...Array.from({ length: layers }, (_, i): [string, Recipe][] => {
      const [block, layer] = [`visual.transformer.resblocks.${i}`, `${model}encoder.layer.${i}`];
      const parts = (name: string): Recipe =>
        join(...["query", "key", "value"].map((part) => `${layer}.attention.attention.${part}.${name}`));
      return [
        ...copyModule(`${block}.ln_1`, `${layer}.layernorm_before`),
        [`${block}.attn.in_proj_weight`, parts("weight")],
        [`${block}.attn.in_proj_bias`, parts("bias")],
        ...copyModule(`${block}.attn.out_proj`, `${layer}.attention.output.dense`),
        ...copyModule(`${block}.ln_2`, `${layer}.layernorm_after`),
        ...copyModule(`${block}.mlp.c_fc`, `${layer}.intermediate.dense`),
        ...copyModule(`${block}.mlp.c_proj`, `${layer}.output.dense`),
      ];
    }).flat(),
    ...copyModule("visual.ln_post", `${model}layernorm`),
    ["visual.proj", transpose("visual_projection.weight")],
  ];
}
