/**
 * Reads the nested configs of Hugging Face's models into open_clip's options.
 *
 * A config may list only what differs from its class's defaults, which are therefore here. Keys that the class does not
 * read are passed over, as the class does; options that change the network and cannot be expressed are errors.
 *
 * Source: transformers, CLIPVisionConfig, CLIPTextConfig, ChineseCLIPVisionConfig, ViTConfig, BertConfig, RobertaConfig
 */
import type { JsonValue } from "../../json/json-value.ts";

/** open_clip's default. */
const layerNormEpsilon = 1e-5;

/** `vision_cfg` of an image tower, and its activation. */
export interface VisionOptions {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: number;
  readonly width: number;
  /** Tokens of an image: its patches and the class token. */
  readonly tokens: number;
  readonly activation: "gelu" | "quick_gelu";
}

/** The image tower of CLIP: `clip_vision_model`, `chinese_clip_vision_model`. */
export function readClipVision(json: JsonValue): VisionOptions {
  return readVision(json, { patch: 32, activation: "quick_gelu", epsilon: 1e-5 });
}

/** Hugging Face's ViT, which has no norm before its blocks. */
export function readVit(json: JsonValue): VisionOptions {
  json.neutral({ qkv_bias: [true] });
  const vision = readVision(json, { patch: 16, activation: "gelu", epsilon: 1e-12 });
  return { ...vision, config: { ...vision.config, no_ln_pre: true } };
}

function readVision(
  json: JsonValue,
  defaults: { readonly patch: number; readonly activation: string; readonly epsilon: number },
): VisionOptions {
  json.neutral({ num_channels: [3] });
  const width = json.at("hidden_size").or(768).integer(1);
  const layers = json.at("num_hidden_layers").or(12).integer(1, mostLayers);
  const image = json.at("image_size").or(224).integer(1);
  const patch = json.at("patch_size").or(defaults.patch).integer(1);
  return {
    width,
    layers,
    tokens: Math.floor(image / patch) ** 2 + 1,
    activation: json.at("hidden_act").or(defaults.activation).oneOf("gelu", "quick_gelu"),
    config: {
      image_size: image,
      patch_size: patch,
      width,
      layers,
      head_width: width / readHeads(json, width, 12),
      mlp_ratio: mlpRatio(width, json.at("intermediate_size").or(3072).integer(1)),
      ...epsilonOptions(json, defaults.epsilon),
    },
  };
}

/** Configs are read before weights can show that there are fewer. */
const mostLayers = 1000;

function readHeads(json: JsonValue, width: number, fallback: number): number {
  const heads = json.at("num_attention_heads").or(fallback);
  if (width % heads.integer(1) !== 0) throw heads.error(`a divisor of hidden_size ${width}`);
  return heads.integer(1);
}

function epsilonOptions(json: JsonValue, fallback: number): Readonly<Record<string, unknown>> {
  const eps = json.at("layer_norm_eps").or(fallback).number();
  return eps === layerNormEpsilon ? {} : { norm_kwargs: { eps } };
}

/** The ratio of which open_clip's `int(width * mlp_ratio)` makes the width inside the MLP. */
function mlpRatio(width: number, mlpWidth: number): number {
  const ratio = mlpWidth / width;
  return Math.trunc(width * ratio) === mlpWidth ? ratio : (mlpWidth + 0.25) / width;
}

/** A text tower of CLIP's own, as `text_cfg`. */
export interface ClipTextOptions {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: number;
  readonly activation: "gelu" | "quick_gelu";
}

export function readClipText(json: JsonValue): ClipTextOptions {
  const width = json.at("hidden_size").or(512).integer(1);
  const layers = json.at("num_hidden_layers").or(12).integer(1, mostLayers);
  const vocabSize = json.at("vocab_size").or(49408).integer(1);
  // open_clip reads out at the largest id; so does transformers if the config has the 2 of old versions.
  const end = json.at("eos_token_id").or(49407);
  if (end.value !== 2 && end.value !== vocabSize - 1) {
    throw end.error(`2 or the largest id ${vocabSize - 1}, at which open_clip reads a text out`);
  }
  return {
    layers,
    activation: json.at("hidden_act").or("quick_gelu").oneOf("gelu", "quick_gelu"),
    config: {
      context_length: json.at("max_position_embeddings").or(77).integer(1),
      vocab_size: vocabSize,
      width,
      heads: readHeads(json, width, 8),
      layers,
      mlp_ratio: mlpRatio(width, json.at("intermediate_size").or(2048).integer(1)),
      ...epsilonOptions(json, 1e-5),
    },
  };
}

/** The `config.json` of a BERT network for open_clip, and its sizes. */
export interface BertOptions {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: number;
  readonly positions: number;
}

/**
 * @param defaults of RobertaConfig, if they differ from BertConfig's
 * @throws InputError for another activation, relative positions, or a decoder
 */
export function readBert(
  json: JsonValue,
  defaults: { readonly vocab_size?: number; readonly pad_token_id?: number } = {},
): BertOptions {
  json.neutral({
    hidden_act: ["gelu"],
    position_embedding_type: ["absolute"],
    is_decoder: [false],
    add_cross_attention: [false],
  });
  const width = json.at("hidden_size").or(768).integer(1);
  const layers = json.at("num_hidden_layers").or(12).integer(1, mostLayers);
  const positions = json.at("max_position_embeddings").or(512).integer(1);
  return {
    layers,
    positions,
    config: {
      model_type: "bert",
      vocab_size: json
        .at("vocab_size")
        .or(defaults.vocab_size ?? 30522)
        .integer(1),
      hidden_size: width,
      num_hidden_layers: layers,
      num_attention_heads: readHeads(json, width, 12),
      intermediate_size: json.at("intermediate_size").or(3072).integer(1),
      hidden_act: "gelu",
      max_position_embeddings: positions,
      type_vocab_size: json.at("type_vocab_size").or(2).integer(1),
      layer_norm_eps: json.at("layer_norm_eps").or(1e-12).number(),
      pad_token_id: json
        .at("pad_token_id")
        .or(defaults.pad_token_id ?? 0)
        .integer(0),
    },
  };
}

/** `text_cfg` for a BERT network in the folder "text". */
export function bertTextOptions(
  { positions }: BertOptions,
  contextLength: number,
  pooler: "cls_pooler" | "cls_last_hidden_state_pooler",
): Readonly<Record<string, unknown>> {
  return {
    context_length: Math.min(contextLength, positions),
    hf_model_name: "text",
    hf_tokenizer_name: "text",
    hf_model_pretrained: false,
    hf_proj_type: "linear",
    hf_pooler_type: pooler,
  };
}
