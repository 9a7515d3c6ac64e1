/**
 * Reads open_clip's `model_cfg` into a ClipConfig.
 *
 * An option that open_clip knows and this project does not implement is an error, unless its value switches it off.
 * Source: open_clip/model.py (CLIPVisionCfg, CLIPTextCfg, and their defaults), transformers XLMRobertaConfig.
 */
import { InputError } from "../../errors/input-error.ts";
import { architectures, textNetworks } from "./architectures/index.ts";
import { Options } from "../../json/options.ts";
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

/** Finds the `config.json` of a text network that is not a published one, and its path for errors; null if there is none. */
export type ReadTextNetwork = (
  folder: string,
) => Promise<{ readonly json: unknown; readonly path: string } | null>;

/**
 * Validates a `model_cfg` of open_clip.
 *
 * @param modelConfig the parsed JSON
 * @param where file and place, for errors
 * @param readTextNetwork reads the folder that `hf_model_name` names where that is no published network
 * @throws InputError that names the option, what was expected and what was found
 */
export async function parseClipConfig(
  modelConfig: unknown,
  where: string,
  readTextNetwork: ReadTextNetwork,
): Promise<ClipConfig> {
  const options = new Options(modelConfig, where);
  const embedDim = options.integer("embed_dim");
  const quickGelu = options.boolean("quick_gelu", false);
  const nonscalarLogitScale = options.boolean("nonscalar_logit_scale", false);
  const vision = parseVision(options.object("vision_cfg"));
  const textOptions = options.object("text_cfg");
  // A text tower of its own lives under "text."; a Hugging Face one always does.
  const customText = options.boolean("custom_text", false);
  const text =
    textOptions.raw("hf_model_name") == null
      ? parseClipText(textOptions, customText)
      : await parseXlmRobertaText(textOptions, embedDim, where, readTextNetwork);
  options.neutral({ init_logit_scale: "any", cast_dtype: "any", output_dict: "any" });
  options.assertAllAsked();
  return { embedDim, quickGelu, nonscalarLogitScale, vision, text };
}

/** The `model_cfg` of one of open_clip's names. @throws InputError that lists the names there are */
export function architectureByName(name: string): unknown {
  if (Object.hasOwn(architectures, name)) return architectures[name];
  throw new InputError(`unknown architecture "${name}": expected one of`, Object.keys(architectures));
}

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

function parseVision(options: Options): VisionConfig {
  const width = options.integer("width", 768);
  const headWidth = options.integer("head_width", 64);
  if (width % headWidth !== 0) {
    throw new InputError(`vision_cfg: width ${width} is no multiple of head_width ${headWidth}`);
  }
  const layers = options.raw("layers") ?? 12;
  if (Array.isArray(layers)) {
    throw new InputError(
      `vision_cfg: "layers": ${JSON.stringify(layers)} is a ResNet, only vision transformers are supported`,
    );
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
    layers: options.layers("layers", 12),
    heads: width / headWidth,
    mlpWidth: Math.trunc(width * options.number("mlp_ratio", 4)),
    layerNormEpsilon,
  };
  options.assertAllAsked();
  return config;
}

function sizePair(options: Options, name: string, fallback: number): readonly [number, number] {
  const value = options.raw(name);
  if (Array.isArray(value) && value.length === 2) {
    const pair = new Options(
      { height: value[0] as unknown, width: value[1] as unknown },
      `vision_cfg.${name}`,
    );
    return [pair.integer("height"), pair.integer("width")];
  }
  const size = options.integer(name, fallback);
  return [size, size];
}

function parseClipText(options: Options, customText: boolean): ClipTextConfig {
  const width = options.integer("width", 512);
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
    contextLength: options.integer("context_length", 77),
    vocabSize: options.integer("vocab_size", 49408),
    width,
    layers: options.layers("layers", 12),
    heads: options.integer("heads", 8),
    mlpWidth: Math.trunc(width * options.number("mlp_ratio", 4)),
    layerNormEpsilon,
    prefix: customText ? "text" : "",
    tokenizer: { kind: "clip-bpe", folders: [], clean: "lower", stripSeparator: false },
  };
  options.assertAllAsked();
  if (width % config.heads !== 0) {
    throw new InputError(`text_cfg: width ${width} is no multiple of heads ${config.heads}`);
  }
  return config;
}

async function parseXlmRobertaText(
  options: Options,
  embedDim: number,
  where: string,
  readTextNetwork: ReadTextNetwork,
): Promise<XlmRobertaTextConfig> {
  const networkName = options.string("hf_model_name");
  const roberta = await findXlmRoberta(networkName, `${where}.text_cfg`, readTextNetwork);
  const contextLength = options.integer("context_length", 77);
  // Here null has a meaning of its own: no projection, as "none" and "".
  const none = options.raw("hf_proj_type") === null;
  const projection = none ? "none" : options.oneOf("hf_proj_type", ["mlp", "linear", "none", ""], "mlp");
  const pooler = options.oneOf(
    "hf_pooler_type",
    ["mean_pooler", "cls_pooler", "cls_last_hidden_state_pooler"],
    "mean_pooler",
  );
  const tokenizerName = options.string("hf_tokenizer_name", networkName);
  const tokenizerOptions = new Options(
    options.raw("tokenizer_kwargs") ?? {},
    `${where}.text_cfg.tokenizer_kwargs`,
  );
  const tokenizer: TokenizerConfig = {
    kind: "xlm-roberta",
    folders: [...new Set([tokenizerName, networkName])],
    clean: tokenizerOptions.oneOf("clean", ["whitespace", "lower", "canonicalize"], "whitespace"),
    stripSeparator: tokenizerOptions.boolean("strip_sep_token", false),
  };
  tokenizerOptions.assertAllAsked();
  options.neutral({
    ...plainBlocks,
    hf_model_pretrained: "any", // where training starts from
    tokenizer_mode: [""],
    // Sizes of the plain text transformer, which open_clip does not look at beside a Hugging Face network.
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
  options.assertAllAsked();
  if (projection === "none" && roberta.width !== embedDim) {
    throw new InputError(
      `${where}.text_cfg: without a projection (hf_proj_type) the text width ${roberta.width} must equal embed_dim ${embedDim}`,
    );
  }
  return { kind: "xlm-roberta", contextLength, pooler, projection: projection || "none", tokenizer, roberta };
}

async function findXlmRoberta(
  name: string,
  where: string,
  readTextNetwork: ReadTextNetwork,
): Promise<XlmRobertaConfig> {
  const own = await readTextNetwork(name);
  if (own) return parseXlmRoberta(own.json, own.path);
  if (Object.hasOwn(textNetworks, name)) return parseXlmRoberta(textNetworks[name], name);
  throw new InputError(
    `${where}: "hf_model_name": ${JSON.stringify(name)} is neither a folder of the model directory with a config.json nor one of ` +
      Object.keys(textNetworks).join(", "),
  );
}

function parseXlmRoberta(json: unknown, where: string): XlmRobertaConfig {
  const options = new Options(json, where);
  options.oneOf("model_type", ["xlm-roberta"]);
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
    vocabSize: options.integer("vocab_size"),
    width: options.integer("hidden_size"),
    layers: options.layers("num_hidden_layers"),
    heads: options.integer("num_attention_heads"),
    mlpWidth: options.integer("intermediate_size"),
    positions: options.integer("max_position_embeddings"),
    tokenTypes: options.integer("type_vocab_size"),
    layerNormEpsilon: options.number("layer_norm_eps", 1e-12),
    padId: options.integer("pad_token_id", 1),
  };
  options.assertAllAsked();
  if (config.width % config.heads !== 0) {
    throw new InputError(
      `${where}: hidden_size ${config.width} is no multiple of num_attention_heads ${config.heads}`,
    );
  }
  return config;
}
