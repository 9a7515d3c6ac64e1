/**
 * The published architectures, with the contents of open_clip's `model_configs/*.json`, and the text networks that they
 * name, with the fields of their `config.json` on the Hugging Face Hub that determine the network.
 */

const visionH14 = { image_size: 224, layers: 32, width: 1280, head_width: 80, patch_size: 14 };
const visionL14 = { image_size: 224, layers: 24, width: 1024, patch_size: 14 };
const visionB16 = { image_size: 224, layers: 12, width: 768, patch_size: 16 };
const visionB32 = { image_size: 224, layers: 12, width: 768, patch_size: 32 };

/** The English models: CLIP's own text transformer. */
const english = {
  "ViT-H-14": {
    embed_dim: 1024,
    vision_cfg: visionH14,
    text_cfg: { context_length: 77, vocab_size: 49408, width: 1024, heads: 16, layers: 24 },
  },
  "ViT-L-14": {
    embed_dim: 768,
    vision_cfg: visionL14,
    text_cfg: { context_length: 77, vocab_size: 49408, width: 768, heads: 12, layers: 12 },
  },
  "ViT-B-16": {
    embed_dim: 512,
    vision_cfg: visionB16,
    text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
  },
  "ViT-B-32": {
    embed_dim: 512,
    vision_cfg: visionB32,
    text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
  },
};

/** OpenAI trained with QuickGELU. The same weights give wrong results under the plain name. */
const quickGelu = Object.fromEntries(
  Object.entries(english).map(([name, config]) => [`${name}-quickgelu`, { ...config, quick_gelu: true }]),
);

/** open_clip's name of an architecture → its `model_cfg`. */
export const architectures: Readonly<Record<string, unknown>> = {
  "xlm-roberta-large-ViT-H-14": {
    embed_dim: 1024,
    vision_cfg: visionH14,
    text_cfg: {
      hf_model_name: "xlm-roberta-large",
      hf_tokenizer_name: "xlm-roberta-large",
      hf_pooler_type: "mean_pooler",
    },
  },
  "xlm-roberta-base-ViT-B-32": {
    embed_dim: 512,
    vision_cfg: visionB32,
    text_cfg: {
      hf_model_name: "xlm-roberta-base",
      hf_tokenizer_name: "xlm-roberta-base",
      hf_pooler_type: "mean_pooler",
    },
  },
  ...english,
  ...quickGelu,
};

const xlmRoberta = {
  model_type: "xlm-roberta",
  vocab_size: 250002,
  max_position_embeddings: 514,
  type_vocab_size: 1,
  hidden_act: "gelu",
  layer_norm_eps: 1e-5,
  pad_token_id: 1,
};

/** Hugging Face's name of a text network → its `config.json`. */
export const textNetworks: Readonly<Record<string, unknown>> = {
  "xlm-roberta-large": {
    ...xlmRoberta,
    hidden_size: 1024,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    intermediate_size: 4096,
  },
  "xlm-roberta-base": {
    ...xlmRoberta,
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
  },
};
