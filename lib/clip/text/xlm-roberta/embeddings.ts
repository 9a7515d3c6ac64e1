/**
 * x = LayerNorm(word[id] + token_type[0] + position[p]), with p from positions.ts
 *
 * Paper: Conneau et al., "Unsupervised Cross-lingual Representation Learning at Scale", 2020 (arXiv 1911.02116).
 * Source: transformers/models/xlm_roberta, XLMRobertaEmbeddings.
 * State dict: `word_embeddings.weight` [vocab, width], `position_embeddings.weight` [positions, width],
 * `token_type_embeddings.weight` [types, width], `LayerNorm.*`.
 */
import { add, type Tensor3D } from "@tensorflow/tfjs-core";
import { Embedding, type IdGrid } from "../../../nn/embedding.ts";
import { LayerNorm } from "../../../nn/layer-norm.ts";
import { Module } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { Loadable } from "../../../tensor/weight.ts";
import type { XlmRobertaConfig } from "../../config/clip-config.ts";
import type { TokenBatch } from "../token-batch.ts";
import { positionsAfterPadding, type PositionRule } from "./positions.ts";

export class XlmRobertaEmbeddings extends Module<[batch: TokenBatch], Tensor3D> {
  readonly wordEmbeddings: Embedding;
  readonly positionEmbeddings: Embedding;
  readonly tokenTypeEmbeddings: Embedding;
  readonly layerNorm: LayerNorm;
  readonly positionsOf: (batch: TokenBatch) => IdGrid;

  constructor(
    scope: WeightScope,
    { vocabSize, positions, tokenTypes, width, layerNormEpsilon, padId }: XlmRobertaConfig,
    rule: PositionRule = positionsAfterPadding,
  ) {
    super(scope);
    this.wordEmbeddings = new Embedding(scope.at("word_embeddings"), vocabSize, width);
    this.positionEmbeddings = new Embedding(scope.at("position_embeddings"), positions, width);
    this.tokenTypeEmbeddings = new Embedding(scope.at("token_type_embeddings"), tokenTypes, width);
    this.layerNorm = new LayerNorm(scope.at("LayerNorm"), width, layerNormEpsilon);
    this.positionsOf = (batch) => rule.idsOf(batch, padId);
  }

  /** The rows of the tables that a batch needs, and the weights of the norm. */
  weightsOf(batch: TokenBatch): Loadable[] {
    return [
      this.wordEmbeddings.rowsOf(batch.tokens),
      this.positionEmbeddings.rowsOf(this.positionsOf(batch)),
      this.tokenTypeEmbeddings.rowsOf(typesOf(batch)),
      this.layerNorm.scope,
    ];
  }

  /** @returns [B, L, width] */
  protected forward(batch: TokenBatch): Tensor3D {
    let x = this.wordEmbeddings.apply(batch.tokens); // [B, L, width]
    x = add(x, this.tokenTypeEmbeddings.apply(typesOf(batch)));
    x = add(x, this.positionEmbeddings.apply(this.positionsOf(batch)));
    return this.layerNorm.apply(x);
  }
}

/** A text is a single segment, so every token has type 0. [B, L] */
function typesOf({ tokens: { ids, shape } }: TokenBatch): IdGrid {
  return { ids: new Int32Array(ids.length), shape };
}
