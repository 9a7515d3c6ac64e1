/**
 * The image tower: patches and a class token with positions, ln_pre, the blocks, and ln_post · proj of the class token.
 *
 * Papers: Dosovitskiy et al., 2021 (arXiv 2010.11929); Radford et al., "Learning Transferable Visual Models From
 * Natural Language Supervision", 2021 (arXiv 2103.00020), section 2.4 (the additional norm before the blocks, ln_pre).
 * Source: open_clip/transformer.py, VisionTransformer. State dict: `conv1.weight`, `class_embedding` [width],
 * `positional_embedding` [1 + patches, width], `ln_pre.*`, `transformer.resblocks.{i}.*`, `ln_post.*`,
 * `proj` [width, embedDim].
 */
import { add, broadcastTo, concat, matMul, reshape, slice, transpose } from "@tensorflow/tfjs-core";
import type { Rank, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { LayerNorm } from "../../nn/layer-norm.ts";
import { lockedGroups, Tower } from "../../nn/tower.ts";
import { tap } from "../../tensor/taps.ts";
import type { WeightScope } from "../../tensor/model-weights.ts";
import type { RowTable } from "../../tensor/row-table.ts";
import type { Loadable, Weight } from "../../tensor/weight.ts";
import type { ClipConfig } from "../config/clip-config.ts";
import type { ResidualAttentionBlock } from "../residual-attention-block.ts";
import { Transformer } from "../transformer.ts";
import { PatchEmbedding } from "./patch-embedding.ts";

/** The image tower: pixels [B, 3, H, W] to embeddings [B, embedDim]. */
export class VisionTransformer extends Tower<Tensor4D> {
  readonly conv1: PatchEmbedding;
  readonly classEmbedding: Weight<Rank.R1>;
  readonly positionalEmbedding: Weight<Rank.R2>;
  /** Null for models without it, such as Hugging Face's ViT. */
  readonly lnPre: LayerNorm | null;
  readonly transformer: Transformer;
  readonly lnPost: LayerNorm;
  readonly proj: Weight<Rank.R2>;

  constructor(scope: WeightScope, { vision, embedDim, quickGelu }: ClipConfig) {
    super(scope);
    const { width, imageSize, patchSize, layerNormEpsilon, hasLnPre } = vision;
    const patches = Math.floor(imageSize[0] / patchSize[0]) * Math.floor(imageSize[1] / patchSize[1]);
    this.conv1 = new PatchEmbedding(scope.at("conv1"), vision);
    this.classEmbedding = scope.get("class_embedding", [width]);
    this.positionalEmbedding = scope.get("positional_embedding", [1 + patches, width]);
    this.lnPre = hasLnPre ? new LayerNorm(scope.at("ln_pre"), width, layerNormEpsilon) : null;
    this.transformer = new Transformer(scope.at("transformer"), vision, quickGelu);
    this.lnPost = new LayerNorm(scope.at("ln_post"), width, layerNormEpsilon);
    this.proj = scope.get("proj", [width, embedDim]);
  }

  /** Groups: the embedding | each block but the last | the last block and ln_post | proj. */
  locked(unlocked: number): readonly (Weight | RowTable)[] {
    const ofLnPre = this.lnPre?.scope.weights ?? [];
    const stem = [...this.conv1.scope.weights, this.classEmbedding, this.positionalEmbedding, ...ofLnPre];
    const blocks = this.blocks.map(({ scope }) => scope.weights);
    const last = [...blocks.slice(-1).flat(), ...this.lnPost.scope.weights];
    return lockedGroups([stem, ...blocks.slice(0, -1), last, [this.proj]], unlocked);
  }

  embedWeights(): readonly Loadable[] {
    const lnPre = this.lnPre === null ? [] : [this.lnPre.scope];
    return [this.conv1.scope, this.classEmbedding, this.positionalEmbedding, ...lnPre];
  }

  /** @param pixels [B, 3, H, W], resized and normalised @returns [B, L, width], L = 1 + patches */
  embed(pixels: Tensor4D): Tensor3D {
    const grid = this.conv1.apply(pixels); // [B, width, rows, columns]
    const [batch, width, rows, columns] = grid.shape;
    const patches: Tensor3D = transpose(reshape(grid, [batch, width, rows * columns]), [0, 2, 1]); // [B, L − 1, width]
    const classToken = broadcastTo(reshape(this.classEmbedding.tensor, [1, 1, width]), [batch, 1, width]);
    const tokens = concat([classToken as Tensor3D, patches], 1); // [B, L, width]
    let x = add<Tensor3D>(tokens, this.positionalEmbedding.tensor);
    x = tap(`${this.scope.path}#positioned`, x);
    return this.lnPre?.apply(x) ?? x;
  }

  /** As in a text tower (text/tower.ts). */
  get identities(): readonly string[] {
    return this.lnPre === null ? [`${this.scope.path}.ln_pre`] : [];
  }

  get embedTap(): string {
    return this.lnPre?.scope.path ?? `${this.scope.path}#positioned`;
  }

  get blocks(): readonly ResidualAttentionBlock[] {
    return this.transformer.resblocks;
  }

  get containers(): readonly WeightScope[] {
    return [this.transformer.scope];
  }

  mask(): undefined {
    return undefined; // every token attends to every token
  }

  get readOutWeights(): readonly Loadable[] {
    return [this.lnPost.scope, this.proj];
  }

  /** @param x [B, L, width], the class token first @returns [B, embedDim] */
  readOut(x: Tensor3D): Tensor2D {
    const [batch, , width] = x.shape;
    const normed = this.lnPost.apply(x);
    const classToken = reshape(slice(normed, [0, 0, 0], [batch, 1, width]), [batch, width]); // [B, width]
    return matMul(classToken, this.proj.tensor); // [B, embedDim]
  }

  /**
   * Reads out every token as if it were the class token.
   *
   * @param x [B, L, width] @returns [B, L, embedDim]
   */
  readOutTokens(x: Tensor3D): Tensor3D {
    const [batch, length, width] = x.shape;
    const embedded = this.readOut(reshape(x, [batch * length, 1, width])); // images of one token each
    return reshape(embedded, [batch, length, -1]);
  }
}
