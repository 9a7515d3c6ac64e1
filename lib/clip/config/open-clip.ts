/**
 * Reads open_clip's `model_cfg` into a ClipConfig.
 *
 * An option of open_clip that is not implemented here is an error, unless its value switches it off.
 *
 * Source: open_clip/model.py (CLIPVisionCfg, CLIPTextCfg, and their defaults), transformers XLMRobertaConfig.
 */
import { InputError } from "../../errors/input-error.ts";
import { architectures, textNetworks } from "./architectures/index.ts";
import { JsonValue } from "../../json/json-value.ts";
import type {
  ClipConfig,
  ClipTextConfig,
  TokenizerConfig,
  VisionConfig,
  XlmRobertaConfig,
  XlmRobertaTextConfig,
} from "./clip-config.ts";

/** PyTorch's default, which open_clip keeps. */
const layerNormEpsilon = 1e-5;

/** Reads the `config.json` in a folder of the model directory, with its path for errors; null if it does not exist. */
export type ReadTextNetwork = (
  folder: string,
) => Promise<{ readonly json: unknown; readonly path: string } | null>;

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
    : await parseXlmRobertaText(textOptions, embedDim, readTextNetwork);
  options.neutral({ init_logit_scale: "any", cast_dtype: "any", output_dict: "any" });
  options.expectAllRead();
  return { embedDim, quickGelu, nonscalarLogitScale, vision, text };
}

/** The `model_cfg` of one of open_clip's names. @throws InputError for another name; `details` lists the names */
export function architectureByName(name: string): unknown {
  if (Object.hasOwn(architectures, name)) return architectures[name];
  throw new InputError(`unknown architecture "${name}": expected one of`, Object.keys(architectures));
}

/** Blocks are built before weights can show that the checkpoint has fewer: a limit for hostile configs. */
const mostLayers = 1000;

/** Options of blocks that no published model of this family switches on. */
const plainBlocks = {
  ls_init_value: [],
  act_kwargs: [{}],
  norm_kwargs: [{}],
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
    no_ln_pre: [false],
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
    layerNormEpsilon,
  };
  options.expectAllRead();
  return config;
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
    layerNormEpsilon,
    prefix: customText ? "text" : "",
    tokenizer: { kind: "clip-bpe", folders: [], clean: "lower", stripSeparator: false },
  };
  options.expectAllRead();
  if (width % config.heads !== 0) {
    throw options.at("width").or(width).error(`a multiple of heads ${config.heads}`);
  }
  return config;
}

async function parseXlmRobertaText(
  options: JsonValue,
  embedDim: number,
  readTextNetwork: ReadTextNetwork,
): Promise<XlmRobertaTextConfig> {
  const networkName = options.at("hf_model_name").string();
  const roberta = await findXlmRoberta(options.at("hf_model_name"), readTextNetwork);
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
    kind: "xlm-roberta",
    folders: [...new Set([tokenizerName, networkName])],
    clean: tokenizerOptions.at("clean").or("whitespace").oneOf("whitespace", "lower", "canonicalize"),
    stripSeparator: tokenizerOptions.at("strip_sep_token").or(false).boolean(),
  };
  tokenizerOptions.expectAllRead();
  options.neutral({
    ...plainBlocks,
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
  if (projection === "none" && roberta.width !== embedDim) {
    throw projectionType.error(
      `a projection, because the text network's width ${roberta.width} differs from embed_dim ${embedDim}`,
    );
  }
  return { kind: "xlm-roberta", contextLength, pooler, projection: projection || "none", tokenizer, roberta };
}

async function findXlmRoberta(
  networkName: JsonValue,
  readTextNetwork: ReadTextNetwork,
): Promise<XlmRobertaConfig> {
  const name = networkName.string();
  const own = await readTextNetwork(name);
  if (own) return parseXlmRoberta(JsonValue.of(own.json, own.path));
  if (Object.hasOwn(textNetworks, name)) return parseXlmRoberta(JsonValue.of(textNetworks[name], name));
  const published = Object.keys(textNetworks).join(", ");
  throw networkName.error(`a folder of the model directory with a config.json, or one of ${published}`);
}

function parseXlmRoberta(options: JsonValue): XlmRobertaConfig {
  options.at("model_type").oneOf("xlm-roberta");
  options.neutral({
    hidden_act: ["gelu"],
    position_embedding_type: ["absolute"],
    is_decoder: [false],
    is_encoder_decoder: [false],
    add_cross_attention: [false],
    chunk_size_feed_forward: "any", // the same numbers in pieces
    attention_probs_dropout_prob: "any", // training
    hidden_dropout_prob: "any",
    classifier_dropout: "any",
    initializer_range: "any",
    use_cache: "any", // decoders
    tie_word_embeddings: "any", // heads that CLIP does not have
    output_past: "any",
    architectures: "any",
    id2label: "any",
    label2id: "any",
    problem_type: "any",
    bos_token_id: "any", // the tokenizer's
    eos_token_id: "any",
    output_attentions: "any", // what Python's forward returns
    output_hidden_states: "any",
    return_dict: "any",
    dtype: "any", // how it was stored
    torch_dtype: "any",
    transformers_version: "any",
    _name_or_path: "any",
  });
  const config = {
    vocabSize: options.at("vocab_size").integer(1),
    width: options.at("hidden_size").integer(1),
    layers: options.at("num_hidden_layers").integer(1, mostLayers),
    heads: options.at("num_attention_heads").integer(1),
    mlpWidth: options.at("intermediate_size").integer(1),
    positions: options.at("max_position_embeddings").integer(1),
    tokenTypes: options.at("type_vocab_size").integer(1),
    layerNormEpsilon: options.at("layer_norm_eps").or(1e-12).number(),
    padId: options.at("pad_token_id").or(1).integer(1),
  };
  options.expectAllRead();
  if (config.width % config.heads !== 0) {
    throw options.at("hidden_size").error(`a multiple of num_attention_heads ${config.heads}`);
  }
  return config;
}
