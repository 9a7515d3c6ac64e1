/**
 * x = LayerNorm(word[id] + token_type[0] + position[p])
 *
 * Paper: Conneau et al., "Unsupervised Cross-lingual Representation Learning at Scale", 2020 (arXiv 1911.02116).
 * Source: transformers/models/xlm_roberta, XLMRobertaEmbeddings. State dict: `word_embeddings.weight` [vocab, width],
 * `position_embeddings.weight` [positions, width], `token_type_embeddings.weight` [types, width], `LayerNorm.*`.
 */
import { add, type Tensor3D } from "@tensorflow/tfjs-core";
import { Embedding } from "../../../nn/embedding.ts";
import { LayerNorm } from "../../../nn/layer-norm.ts";
import { Module, type Loadable } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/weights.ts";
import type { RobertaConfig } from "../../config/open-clip.ts";
import type { TokenBatch } from "./token-batch.ts";

export class RobertaEmbeddings extends Module<[batch: TokenBatch], Tensor3D> {
  readonly wordEmbeddings: Embedding;
  readonly positionEmbeddings: Embedding;
  readonly tokenTypeEmbeddings: Embedding;
  readonly layerNorm: LayerNorm;

  constructor(
    scope: WeightScope,
    { vocabSize, positions, tokenTypes, width, layerNormEpsilon }: RobertaConfig,
  ) {
    super(scope);
    this.wordEmbeddings = new Embedding(scope.at("word_embeddings"), vocabSize, width);
    this.positionEmbeddings = new Embedding(scope.at("position_embeddings"), positions, width);
    this.tokenTypeEmbeddings = new Embedding(scope.at("token_type_embeddings"), tokenTypes, width);
    this.layerNorm = new LayerNorm(scope.at("LayerNorm"), width, layerNormEpsilon);
  }

  /** The rows of the tables that a batch needs, and the norm's weights. */
  weightsOf({ tokens, positions }: TokenBatch): Loadable[] {
    return [
      this.wordEmbeddings.rowsOf(tokens),
      this.positionEmbeddings.rowsOf(positions),
      this.tokenTypeEmbeddings.rowsOf({ ids: Int32Array.of(0), shape: [1, 1] }),
      this.layerNorm.scope,
    ];
  }

  /** The output is [B, L, width]; a text is one segment, so that every token has type 0. */
  protected forward({ tokens, positions }: TokenBatch): Tensor3D {
    const types = { ids: new Int32Array(tokens.ids.length), shape: tokens.shape };
    let x = this.wordEmbeddings.apply(tokens); // [B, L, width]
    x = add(x, this.tokenTypeEmbeddings.apply(types));
    x = add(x, this.positionEmbeddings.apply(positions));
    return this.layerNorm.apply(x);
  }
}
