/**
 * The image tower: patches and a class token with positions, ln_pre, the blocks, and the class token's ln_post · proj.
 *
 * Papers: Dosovitskiy et al., 2021 (arXiv 2010.11929); Radford et al., "Learning Transferable Visual Models From
 * Natural Language Supervision", 2021 (arXiv 2103.00020), section 2.4 (the extra norm in front, ln_pre).
 * Source: open_clip/transformer.py, VisionTransformer. State dict: `conv1.weight`, `class_embedding` [width],
 * `positional_embedding` [1 + patches, width], `ln_pre.*`, `transformer.resblocks.{i}.*`, `ln_post.*`,
 * `proj` [width, embedDim].
 */
import { add, broadcastTo, concat, matMul, reshape, slice, transpose } from "@tensorflow/tfjs-core";
import type { Rank, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { LayerNorm } from "../../nn/layer-norm.ts";
import { consuming, run, StreamedModule, withWeights, type Steps } from "../../nn/module.ts";
import { tap } from "../../tensor/taps.ts";
import type { Weight, WeightScope } from "../../tensor/weights.ts";
import type { ClipConfig } from "../config/open-clip.ts";
import { PatchEmbedding } from "./patch-embedding.ts";
import { layerNormEpsilon } from "../residual-attention-block.ts";
import { Transformer } from "../transformer.ts";

export class VisionTransformer extends StreamedModule<[pixels: Tensor4D], Tensor2D> {
  readonly conv1: PatchEmbedding;
  readonly classEmbedding: Weight<Rank.R1>;
  readonly positionalEmbedding: Weight<Rank.R2>;
  readonly ln_pre: LayerNorm;
  readonly transformer: Transformer;
  readonly ln_post: LayerNorm;
  readonly proj: Weight<Rank.R2>;

  constructor(scope: WeightScope, { vision, embedDim, quickGelu }: ClipConfig) {
    super(scope);
    const { width, imageSize, patchSize } = vision;
    const patches = Math.floor(imageSize[0] / patchSize[0]) * Math.floor(imageSize[1] / patchSize[1]);
    this.conv1 = new PatchEmbedding(scope.at("conv1"), vision);
    this.classEmbedding = scope.get("class_embedding", [width]);
    this.positionalEmbedding = scope.get("positional_embedding", [1 + patches, width]);
    this.ln_pre = new LayerNorm(scope.at("ln_pre"), width, layerNormEpsilon);
    this.transformer = new Transformer(scope.at("transformer"), vision, quickGelu);
    this.ln_post = new LayerNorm(scope.at("ln_post"), width, layerNormEpsilon);
    this.proj = scope.get("proj", [width, embedDim]);
  }

  /** @param pixels [B, 3, H, W], resized and normalised as the preprocessing does; the output is [B, embedDim] */
  protected *forward(pixels: Tensor4D): Steps<Tensor2D> {
    const weights = [this.conv1.scope, this.classEmbedding, this.positionalEmbedding, this.ln_pre.scope];
    const embedded = yield* withWeights(weights, () => this.embed(pixels)); // [B, L, width]
    const encoded = yield* consuming(embedded, (x) => this.transformer.steps(x)); // [B, L, width]
    return yield* consuming(encoded, (x) => withWeights([this.ln_post.scope, this.proj], () => this.pool(x)));
  }

  /** Patches behind the class token, with positions: L = 1 + patches. */
  private embed(pixels: Tensor4D): Tensor3D {
    const grid = this.conv1.apply(pixels); // [B, width, rows, columns]
    const [batch, width, rows, columns] = grid.shape;
    const patches: Tensor3D = transpose(reshape(grid, [batch, width, rows * columns]), [0, 2, 1]); // [B, L − 1, width]
    const classToken = broadcastTo(reshape(this.classEmbedding.tensor, [1, 1, width]), [batch, 1, width]);
    const tokens = concat([classToken as Tensor3D, patches], 1); // [B, L, width]
    const positioned = add<Tensor3D>(tokens, this.positionalEmbedding.tensor);
    return this.ln_pre.apply(tap(`${this.scope.path}#positioned`, positioned));
  }

  /**
   * The tower's end on its own: what a residual stream would give if no block followed.
   *
   * @param x [B, L, width], the class token first; the output is [B, embedDim]
   */
  readOut(x: Tensor3D): Promise<Tensor2D> {
    return run(withWeights([this.ln_post.scope, this.proj], () => this.pool(x)));
  }

  /** The class token alone, projected. */
  private pool(x: Tensor3D): Tensor2D {
    const [batch, , width] = x.shape;
    const normed = this.ln_post.apply(x);
    const pooled = reshape(slice(normed, [0, 0, 0], [batch, 1, width]), [batch, width]); // [B, width]
    return matMul(pooled, this.proj.tensor); // [B, embedDim]
  }
}
