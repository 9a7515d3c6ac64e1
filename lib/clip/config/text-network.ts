/**
 * The sizes of a text network from Hugging Face's `config.json`: XLM-RoBERTa, RoBERTa or BERT.
 *
 * Source: transformers, XLMRobertaConfig, RobertaConfig and BertConfig.
 */
import { JsonValue } from "../../json/json-value.ts";
import { textNetworks } from "./architectures/index.ts";
import type { BertTextConfig, XlmRobertaConfig, XlmRobertaTextConfig } from "./clip-config.ts";

/** Blocks are built before weights can show that the checkpoint has fewer: a limit for hostile configs. */
export const mostLayers = 1000;

/** Reads the `config.json` in a folder of the model directory, with its path for errors; null if it does not exist. */
export type ReadTextNetwork = (
  folder: string,
) => Promise<{ readonly json: unknown; readonly path: string } | null>;

/** A text network, and the kind of tower that runs it. */
export interface TextNetwork {
  readonly kind: XlmRobertaTextConfig["kind"] | BertTextConfig["kind"];
  readonly network: XlmRobertaConfig;
}

/** The kinds of tower, and the padding id that a config may leave out, by `model_type`. */
const networks = {
  "xlm-roberta": { kind: "xlm-roberta", padId: 1 },
  roberta: { kind: "xlm-roberta", padId: 1 },
  bert: { kind: "bert", padId: 0 },
} as const;

/** @throws InputError if neither a folder of the model directory nor the published networks have the name */
export async function findTextNetwork(
  networkName: JsonValue,
  readTextNetwork: ReadTextNetwork,
): Promise<TextNetwork> {
  const name = networkName.string();
  const own = await readTextNetwork(name);
  if (own) return parseTextNetwork(JsonValue.of(own.json, own.path));
  if (Object.hasOwn(textNetworks, name)) return parseTextNetwork(JsonValue.of(textNetworks[name], name));
  const published = Object.keys(textNetworks).join(", ");
  throw networkName.error(`a folder of the model directory with a config.json, or one of ${published}`);
}

function parseTextNetwork(options: JsonValue): TextNetwork {
  const { kind, padId } = networks[options.at("model_type").oneOf("xlm-roberta", "roberta", "bert")];
  options.neutral({
    hidden_act: ["gelu"],
    position_embedding_type: ["absolute"],
    is_decoder: [false],
    is_encoder_decoder: [false],
    add_cross_attention: [false],
    ...neutralNetworkOptions,
  });
  const network = {
    vocabSize: options.at("vocab_size").integer(1),
    width: options.at("hidden_size").integer(1),
    layers: options.at("num_hidden_layers").integer(1, mostLayers),
    heads: options.at("num_attention_heads").integer(1),
    mlpWidth: options.at("intermediate_size").integer(1),
    positions: options.at("max_position_embeddings").integer(1),
    tokenTypes: options.at("type_vocab_size").integer(1),
    layerNormEpsilon: options.at("layer_norm_eps").or(1e-12).number(),
    padId: options
      .at("pad_token_id")
      .or(padId)
      .integer(kind === "bert" ? 0 : 1),
    dropout: {
      hidden: dropoutShare(options.at("hidden_dropout_prob")),
      attention: dropoutShare(options.at("attention_probs_dropout_prob")),
    },
  };
  options.expectAllRead();
  if (network.width % network.heads !== 0) {
    throw options.at("hidden_size").error(`a multiple of num_attention_heads ${network.heads}`);
  }
  return { kind, network };
}

/** Hugging Face's default is 0.1. */
function dropoutShare(option: JsonValue): number {
  const share = option.or(0.1).number();
  if (share < 0 || share >= 1) throw option.error("a number from 0 up to, but not including, 1");
  return share;
}

/** Options of a text network's config.json that do not change its output. */
export const neutralNetworkOptions = {
  chunk_size_feed_forward: "any", // the same numbers in pieces
  classifier_dropout: "any",
  initializer_range: "any",
  initializer_factor: "any",
  gradient_checkpointing: "any",
  use_cache: "any", // decoders
  tie_word_embeddings: "any", // heads that CLIP does not have
  output_past: "any",
  architectures: "any",
  id2label: "any",
  label2id: "any",
  problem_type: "any",
  directionality: "any", // left over from the conversion of Google's BERT
  pooler_fc_size: "any",
  pooler_num_attention_heads: "any",
  pooler_num_fc_layers: "any",
  pooler_size_per_head: "any",
  pooler_type: "any",
  bos_token_id: "any", // the tokenizer's
  eos_token_id: "any",
  output_attentions: "any", // what Python's forward returns
  output_hidden_states: "any",
  return_dict: "any",
  dtype: "any", // how it was stored
  torch_dtype: "any",
  transformers_version: "any",
  _name_or_path: "any",
} as const;
