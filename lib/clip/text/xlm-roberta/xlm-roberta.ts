/**
 * XLM-RoBERTa without its own pooler: embeddings and a stack of layers.
 *
 * Paper: Conneau et al., 2020 (arXiv 1911.02116). Source: transformers/models/xlm_roberta, XLMRobertaModel and
 * XLMRobertaEncoder. State dict: `embeddings.*`, `encoder.layer.{i}.*`.
 */
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { XlmRobertaConfig } from "../../config/clip-config.ts";
import { XlmRobertaEmbeddings } from "./embeddings.ts";
import { XlmRobertaLayer } from "./layer.ts";
import type { PositionRule } from "./positions.ts";

export class XlmRoberta {
  readonly scope: WeightScope;
  readonly embeddings: XlmRobertaEmbeddings;
  readonly encoder: { readonly scope: WeightScope; readonly layer: readonly XlmRobertaLayer[] };

  constructor(scope: WeightScope, config: XlmRobertaConfig, positions?: PositionRule) {
    this.scope = scope;
    this.embeddings = new XlmRobertaEmbeddings(scope.at("embeddings"), config, positions);
    const encoder = scope.at("encoder");
    const layers = Array.from({ length: config.layers }, (_, i) => encoder.at(`layer.${i}`));
    this.encoder = { scope: encoder, layer: layers.map((layer) => new XlmRobertaLayer(layer, config)) };
  }
}
