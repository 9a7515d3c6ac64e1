/**
 * Chinese-CLIP: the hub's files (transformers' ChineseCLIPModel), and cn_clip's own checkpoints.
 *
 * Source: transformers, ChineseCLIPModel; OFA-Sys/Chinese-CLIP, cn_clip/clip/model.py, utils.py and configs
 */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import type { TensorStore } from "../../tensor/store.ts";
import { bertText } from "./bert-text.ts";
import { clipVision } from "./clip-vision.ts";
import { cnClip } from "./cn-clip.ts";
import type { Layout } from "./layout.ts";
import { bertTextOptions, readBert, readClipVision } from "./network-options.ts";
import { readPreprocessor } from "./preprocessor.ts";
import { copy } from "./recipe.ts";
import { nestedConfig, positionIds, type LayoutFiles } from "./source.ts";
import { TranslatedStore } from "./translated-store.ts";

/** Tokens of a text, as in all of cn_clip's training. */
const contextLength = 52;

export function chineseClip({ config, preprocessor }: LayoutFiles): Layout {
  const [visionJson, textJson] = [nestedConfig(config, "vision"), nestedConfig(config, "text")];
  visionJson.at("model_type").or("chinese_clip_vision_model").oneOf("chinese_clip_vision_model");
  textJson.at("model_type").or("chinese_clip_text_model").oneOf("chinese_clip_text_model");
  const [vision, bert] = [readClipVision(visionJson), readBert(textJson)];
  const imageSize = vision.config["image_size"] as number;
  const usual = { interpolation: "bicubic", resize_mode: "squash" } as const;
  return {
    name: "Chinese-CLIP",
    config: {
      model_cfg: {
        embed_dim: config.at("projection_dim").or(512).integer(1),
        quick_gelu: vision.activation === "quick_gelu",
        vision_cfg: vision.config,
        text_cfg: bertTextOptions(bert, contextLength, "cls_last_hidden_state_pooler"),
      },
      preprocess_cfg: readPreprocessor(preprocessor, usual, imageSize),
      clipscope: { clean: "none", wordpiece: "cn-clip" },
    },
    textNetwork: bert.config,
    translate(weights) {
      const recipes = weights.tensors.has("bert.embeddings.word_embeddings.weight")
        ? cnClip(weights, vision.layers, bert.layers)
        : new Map([
            ...clipVision("vision_model.", vision.layers),
            ...bertText({ prefix: "text_model.", layers: bert.layers }),
            ["text.proj.weight", copy("text_projection.weight")],
            ["logit_scale", copy("logit_scale")],
          ]);
      const isIgnored = (name: string): boolean =>
        positionIds.test(name) || name.startsWith("text_model.pooler.") || name.startsWith("bert.pooler.");
      return Promise.resolve({ store: new TranslatedStore(weights, recipes, isIgnored), notes: [] });
    },
  };
}

/** Whether a store holds one of cn_clip's checkpoints. */
export function isCnClip({ tensors }: TensorStore): boolean {
  return tensors.has("bert.embeddings.word_embeddings.weight") && tensors.has("text_projection");
}

/**
 * cn_clip's checkpoint without a config.json: sizes are those of its tensors, and heads are 64 wide, as in all of cn_clip's
 * models but the image tower of ViT-H/14, whose heads are 80 wide.
 *
 * @throws InputError for a ResNet, or widths that are not multiples of 64
 */
export function cnClipByShapes(weights: TensorStore): Layout {
  const shapeOf = (name: string): readonly number[] => {
    const info = weights.tensors.get(name);
    if (info !== undefined) return info.shape;
    if (name === "visual.class_embedding" && weights.tensors.has("visual.layer1.0.conv1.weight")) {
      throw new InputError(
        `${weights.name}: a ResNet image tower is not supported, only vision transformers`,
      );
    }
    throw new InputError(`${weights.name}: expected a checkpoint of cn_clip, found no tensor "${name}"`);
  };
  const layersOf = (pattern: RegExp): number =>
    new Set([...weights.tensors.keys()].map((name) => pattern.exec(name)?.[1]).filter(Boolean)).size;
  const headsOf = (width: number, headWidth: number): number => {
    if (width % headWidth === 0) return width / headWidth;
    throw new InputError(
      `${weights.name}: cannot infer the heads of a width of ${width}; put the model's config.json next to it`,
    );
  };
  const [width = 0] = shapeOf("visual.class_embedding");
  const [, , patch = 0] = shapeOf("visual.conv1.weight");
  const [tokens = 0] = shapeOf("visual.positional_embedding");
  const [mlpWidth = 0] = shapeOf("visual.transformer.resblocks.0.mlp.c_fc.weight");
  const [vocabSize = 0, textWidth = 0] = shapeOf("bert.embeddings.word_embeddings.weight");
  const config = {
    projection_dim: shapeOf("text_projection")[1],
    vision_config: {
      hidden_size: width,
      intermediate_size: mlpWidth,
      num_hidden_layers: layersOf(/^visual\.transformer\.resblocks\.(\d+)\./),
      num_attention_heads: headsOf(width, width === 1280 ? 80 : 64),
      image_size: Math.round(Math.sqrt(tokens - 1)) * patch,
      patch_size: patch,
    },
    text_config: {
      vocab_size: vocabSize,
      hidden_size: textWidth,
      num_hidden_layers: layersOf(/^bert\.encoder\.layer\.(\d+)\./),
      num_attention_heads: headsOf(textWidth, 64),
      intermediate_size: shapeOf("bert.encoder.layer.0.intermediate.dense.weight")[0],
      max_position_embeddings: shapeOf("bert.embeddings.position_embeddings.weight")[0],
      type_vocab_size: shapeOf("bert.embeddings.token_type_embeddings.weight")[0],
    },
  };
  return chineseClip({ config: JsonValue.of(config, `${weights.name}: shapes`), preprocessor: undefined });
}
