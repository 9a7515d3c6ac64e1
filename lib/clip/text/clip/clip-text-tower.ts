/**
 * CLIP's own text tower (the English models): a causal transformer whose output at the end-of-text token is projected.
 *
 * Paper: Radford et al., 2021 (arXiv 2103.00020), section 2.4. Source: open_clip/model.py, CLIP.encode_text;
 * open_clip/transformer.py, TextTransformer. State dict, at the root or under `text.`: `token_embedding.weight`
 * [vocab, width], `positional_embedding` [context, width], `transformer.resblocks.{i}.*`, `ln_final.*`,
 * `text_projection` [width, embedDim].
 */
import { add, gatherND, matMul, slice, tensor2d, tensor4d } from "@tensorflow/tfjs-core";
import type { Rank, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { Embedding } from "../../../nn/embedding.ts";
import { LayerNorm } from "../../../nn/layer-norm.ts";
import { maskedScore } from "../../../nn/scaled-dot-product-attention.ts";
import { lockedGroups } from "../../../nn/tower.ts";
import { tap } from "../../../tensor/taps.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { RowTable } from "../../../tensor/row-table.ts";
import type { Loadable, Weight } from "../../../tensor/weight.ts";
import type { ClipConfig, ClipTextConfig } from "../../config/clip-config.ts";
import type { ResidualAttentionBlock } from "../../residual-attention-block.ts";
import { Transformer } from "../../transformer.ts";
import type { TokenBatch } from "../token-batch.ts";
import { TextTower } from "../tower.ts";

export class ClipTextTower extends TextTower {
  readonly tokenEmbedding: Embedding;
  readonly positionalEmbedding: Weight<Rank.R2>;
  readonly transformer: Transformer;
  readonly lnFinal: LayerNorm;
  readonly textProjection: Weight<Rank.R2>;
  readonly padId = 0;
  readonly maxTokens: number;
  readonly identities = [];
  readonly dropout = new Map<string, number>();

  constructor(scope: WeightScope, config: ClipTextConfig, { embedDim, quickGelu }: ClipConfig) {
    super(scope);
    const { vocabSize, width, contextLength, layerNormEpsilon } = config;
    this.tokenEmbedding = new Embedding(scope.at("token_embedding"), vocabSize, width);
    this.positionalEmbedding = scope.get("positional_embedding", [contextLength, width]);
    this.transformer = new Transformer(scope.at("transformer"), config, quickGelu);
    this.lnFinal = new LayerNorm(scope.at("ln_final"), width, layerNormEpsilon);
    this.textProjection = scope.get("text_projection", [width, embedDim]);
    this.maxTokens = contextLength;
  }

  override get finalNorm(): LayerNorm {
    return this.lnFinal;
  }

  /** The tokens of a text end with its end-of-text token, because the mask hides what follows. */
  isToken(row: readonly number[]): boolean[] {
    const end = this.readOutPosition(row);
    return row.map((_, i) => i <= end);
  }

  /** The end-of-text token has the largest id. */
  readOutPosition(row: readonly number[]): number {
    return row.indexOf(row.reduce((largest, id) => Math.max(largest, id), -Infinity));
  }

  /** Groups: the embeddings | each block but the last | the last block and ln_final | text_projection. */
  locked(unlocked: number): readonly (Weight | RowTable)[] {
    const embeddings = [this.tokenEmbedding.weight, this.positionalEmbedding];
    const blocks = this.blocks.map(({ scope }) => scope.weights);
    const last = [...blocks.slice(-1).flat(), ...this.lnFinal.scope.weights];
    return lockedGroups([embeddings, ...blocks.slice(0, -1), last, [this.textProjection]], unlocked);
  }

  embedWeights({ tokens }: TokenBatch): readonly Loadable[] {
    return [this.tokenEmbedding.rowsOf(tokens), this.positionalEmbedding];
  }

  /** @returns [B, L, width] */
  embed({ tokens }: TokenBatch): Tensor3D {
    const positions = slice(this.positionalEmbedding.tensor, [0, 0], [tokens.shape[1], -1]); // [L, width]
    const positioned = add<Tensor3D>(this.tokenEmbedding.apply(tokens), positions); // [B, L, width]
    return tap(this.embedTap, positioned);
  }

  get embedTap(): string {
    return `${this.scope.path}#positioned`;
  }

  get blocks(): readonly ResidualAttentionBlock[] {
    return this.transformer.resblocks;
  }

  get containers(): readonly WeightScope[] {
    return [this.transformer.scope];
  }

  /** Causal: a token attends to itself and to those before it. [1, 1, L, L] */
  mask({ tokens }: TokenBatch): Tensor4D {
    const length = tokens.shape[1];
    const mask = Float32Array.from({ length: length * length }, (_, i) => {
      const [from, to] = [Math.floor(i / length), i % length];
      return to > from ? maskedScore : 0;
    });
    return tensor4d(mask, [1, 1, length, length]);
  }

  get readOutWeights(): readonly Loadable[] {
    return [this.lnFinal.scope, this.textProjection];
  }

  /** @param x [B, L, width] @returns [B, embedDim] */
  readOut(x: Tensor3D, { readOutPositions }: TokenBatch): Tensor2D {
    const normed = this.lnFinal.apply(x);
    const indices = readOutPositions.map((end, row) => [row, end]);
    const pooled = gatherND(normed, tensor2d(indices, [indices.length, 2], "int32")) as Tensor2D; // [B, width]
    return matMul(pooled, this.textProjection.tensor); // [B, embedDim]
  }
}
