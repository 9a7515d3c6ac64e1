/**
 * Reads open_clip's `model_cfg` into a ClipConfig.
 *
 * An option of open_clip that is not implemented here is an error, unless its value switches it off.
 *
 * Source: open_clip/model.py (CLIPVisionCfg, CLIPTextCfg, and their defaults).
 */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { architectures } from "./architectures/index.ts";
import type {
  BertTextConfig,
  ClipConfig,
  ClipTextConfig,
  TokenizerConfig,
  VisionConfig,
  XlmRobertaTextConfig,
} from "./clip-config.ts";
import { findTextNetwork, mostLayers, type ReadTextNetwork } from "./text-network.ts";

export type { ReadTextNetwork } from "./text-network.ts";

/**
 * Validates a `model_cfg` of open_clip.
 *
 * @param modelConfig the parsed JSON
 * @param where file and place, for errors
 * @param readTextNetwork reads the folder that `hf_model_name` names
 * @throws InputError if an option is unknown, or has a value that is not supported
 */
export async function parseClipConfig(
  modelConfig: unknown,
  where: string,
  readTextNetwork: ReadTextNetwork,
): Promise<ClipConfig> {
  const options = JsonValue.of(modelConfig, where);
  const embedDim = options.at("embed_dim").integer(1);
  const quickGelu = options.at("quick_gelu").or(false).boolean();
  const nonscalarLogitScale = options.at("nonscalar_logit_scale").or(false).boolean();
  const vision = parseVision(options.at("vision_cfg"));
  const textOptions = options.at("text_cfg");
  // The prefix of a custom text tower is "text.", and so is that of every Hugging Face text tower.
  const customText = options.at("custom_text").or(false).boolean();
  const text = textOptions.at("hf_model_name").isMissing
    ? parseClipText(textOptions, customText)
    : await parseHuggingFaceText(textOptions, embedDim, readTextNetwork);
  options.neutral({ init_logit_scale: "any", cast_dtype: "any", output_dict: "any" });
  options.expectAllRead();
  return { embedDim, quickGelu, nonscalarLogitScale, vision, text };
}

/** The `model_cfg` of one of open_clip's names. @throws InputError for another name; `details` lists the names */
export function architectureByName(name: string): unknown {
  if (Object.hasOwn(architectures, name)) return architectures[name];
  throw new InputError(`unknown architecture "${name}": expected one of`, Object.keys(architectures));
}

/** Options of blocks that no published model of this family switches on. */
const plainBlocks = {
  ls_init_value: [],
  act_kwargs: [{}],
  block_type: ["default"],
  qk_norm: [false],
  scaled_cosine_attn: [false],
  scale_heads: [false],
  scale_attn_inner: [false],
  scale_attn: [false],
  scale_fc: [false],
  output_tokens: [false],
  final_ln_after_pool: [false],
} as const;

function parseVision(options: JsonValue): VisionConfig {
  const width = options.at("width").or(768).integer(1);
  const headWidth = options.at("head_width").or(64).integer(1);
  if (width % headWidth !== 0) {
    throw options.at("width").error(`a multiple of head_width ${headWidth}`);
  }
  const layers = options.at("layers").or(12);
  if (Array.isArray(layers.value)) {
    throw layers.error("one number", "ResNets are not supported, only vision transformers");
  }
  options.neutral({
    ...plainBlocks,
    patch_dropout: "any", // training only
    attentional_pool: [false],
    attn_pooler_queries: "any",
    attn_pooler_heads: "any",
    pos_embed_type: ["learnable"],
    pool_type: ["tok"],
    timm_model_name: [],
    timm_model_pretrained: "any", // how timm's models start and train
    timm_pool: "any",
    timm_proj: "any",
    timm_proj_bias: "any",
    timm_drop: "any",
    timm_drop_path: "any",
  });
  const config = {
    imageSize: sizePair(options, "image_size", 224),
    patchSize: sizePair(options, "patch_size", 16),
    width,
    layers: layers.integer(1, mostLayers),
    heads: width / headWidth,
    mlpWidth: Math.trunc(width * options.at("mlp_ratio").or(4).number()),
    layerNormEpsilon: layerNormEpsilon(options),
    hasLnPre: !options.at("no_ln_pre").or(false).boolean(),
  };
  options.expectAllRead();
  return config;
}

/** `norm_kwargs.eps`, or PyTorch's default, which open_clip keeps. */
function layerNormEpsilon(options: JsonValue): number {
  const norm = options.at("norm_kwargs").or({});
  const epsilon = norm.at("eps").or(1e-5);
  norm.expectAllRead();
  if (epsilon.number() <= 0) throw epsilon.error("a positive number");
  return epsilon.number();
}

function sizePair(options: JsonValue, name: string, fallback: number): readonly [number, number] {
  const size = options.at(name).or(fallback);
  if (!Array.isArray(size.value)) return [size.integer(1), size.integer(1)];
  const [height, width, ...rest] = size.items();
  if (height === undefined || width === undefined || rest.length > 0) throw size.error("[height, width]");
  return [height.integer(1), width.integer(1)];
}

function parseClipText(options: JsonValue, customText: boolean): ClipTextConfig {
  const width = options.at("width").or(512).integer(1);
  options.neutral({
    ...plainBlocks,
    embed_cls: [false],
    no_causal_mask: [false],
    pool_type: ["argmax"],
    proj_type: ["linear"],
    proj_bias: [false],
    pad_id: [0],
    eos_id: "any", // of other ways to pool
    tokenizer_mode: [""],
    tokenizer_kwargs: [{}],
    hf_tokenizer_name: [],
    hf_model_name: [],
    hf_model_pretrained: "any",
    hf_proj_type: "any",
    hf_pooler_type: "any",
  });
  const config: ClipTextConfig = {
    kind: "clip",
    contextLength: options.at("context_length").or(77).integer(1),
    vocabSize: options.at("vocab_size").or(49408).integer(1),
    width,
    layers: options.at("layers").or(12).integer(1, mostLayers),
    heads: options.at("heads").or(8).integer(1),
    mlpWidth: Math.trunc(width * options.at("mlp_ratio").or(4).number()),
    layerNormEpsilon: layerNormEpsilon(options),
    prefix: customText ? "text" : "",
    tokenizer: {
      kind: "clip-bpe",
      folders: [],
      clean: "lower",
      wordPiece: "hugging-face",
      file: null,
      stripSeparator: false,
    },
  };
  options.expectAllRead();
  if (width % config.heads !== 0) {
    throw options.at("width").or(width).error(`a multiple of heads ${config.heads}`);
  }
  return config;
}

async function parseHuggingFaceText(
  options: JsonValue,
  embedDim: number,
  readTextNetwork: ReadTextNetwork,
): Promise<XlmRobertaTextConfig | BertTextConfig> {
  const networkName = options.at("hf_model_name").string();
  const { kind, network } = await findTextNetwork(options.at("hf_model_name"), readTextNetwork);
  const contextLength = options.at("context_length").or(77).integer(1);
  // Unlike elsewhere, null is not the default: it means no projection, as "none" and "" do.
  const projectionType = options.at("hf_proj_type");
  const projection =
    projectionType.value === null ? "none" : projectionType.or("mlp").oneOf("mlp", "linear", "none", "");
  const pooler = options
    .at("hf_pooler_type")
    .or("mean_pooler")
    .oneOf("mean_pooler", "cls_pooler", "cls_last_hidden_state_pooler");
  const tokenizerName = options.at("hf_tokenizer_name").or(networkName).string();
  const tokenizerOptions = options.at("tokenizer_kwargs").or({});
  const tokenizer: TokenizerConfig = {
    kind: "hugging-face",
    folders: [...new Set([tokenizerName, networkName])],
    clean: tokenizerOptions.at("clean").or("whitespace").oneOf("whitespace", "lower", "canonicalize"),
    wordPiece: "hugging-face",
    file: null,
    stripSeparator: tokenizerOptions.at("strip_sep_token").or(false).boolean(),
  };
  tokenizerOptions.expectAllRead();
  options.neutral({
    ...plainBlocks,
    norm_kwargs: "any", // of CLIP's own text transformer
    hf_model_pretrained: "any", // where training starts from
    tokenizer_mode: [""],
    // Sizes of CLIP's own text transformer, which open_clip ignores if there is a Hugging Face network.
    vocab_size: "any",
    width: "any",
    heads: "any",
    layers: "any",
    mlp_ratio: "any",
    embed_cls: "any",
    pad_id: "any",
    eos_id: "any",
    no_causal_mask: "any",
    pool_type: "any",
    proj_bias: "any",
    proj_type: "any",
  });
  options.expectAllRead();
  if (projection === "none" && network.width !== embedDim) {
    throw projectionType.error(
      `a projection, because the text network's width ${network.width} differs from embed_dim ${embedDim}`,
    );
  }
  return { kind, contextLength, pooler, projection: projection || "none", tokenizer, network };
}
