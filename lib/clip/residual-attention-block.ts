/**
 * x ← x + attn(ln_1(x));  x ← x + mlp(ln_2(x))
 *
 * Pre-norm: the norms are inside the branches, so the residual stream itself is not normalised. XLM-R's layer
 * (text/xlm-roberta/layer.ts) is post-norm.
 *
 * Paper: Dosovitskiy et al., 2021 (arXiv 2010.11929), equations 2 and 3. Source: open_clip/transformer.py,
 * ResidualAttentionBlock. State dict: `ln_1.*`, `attn.*`, `ln_2.*`, `mlp.*`.
 */
import { add, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import { LayerNorm } from "../nn/layer-norm.ts";
import { Mlp } from "../nn/mlp.ts";
import { Module } from "../nn/module.ts";
import { MultiheadAttention } from "../nn/multihead-attention.ts";
import type { Block } from "../nn/tower.ts";
import { tap } from "../tensor/taps.ts";
import type { WeightScope } from "../tensor/model-weights.ts";
import type { TransformerConfig } from "./config/clip-config.ts";

export class ResidualAttentionBlock
  extends Module<[x: Tensor3D, mask?: Tensor4D], Tensor3D>
  implements Block
{
  readonly ln1: LayerNorm;
  readonly attn: MultiheadAttention;
  readonly ln2: LayerNorm;
  readonly mlp: Mlp;
  readonly width: number;

  constructor(
    scope: WeightScope,
    { width, heads, mlpWidth, layerNormEpsilon }: TransformerConfig,
    quickGelu: boolean,
  ) {
    super(scope);
    this.ln1 = new LayerNorm(scope.at("ln_1"), width, layerNormEpsilon);
    this.attn = new MultiheadAttention(scope.at("attn"), width, heads);
    this.ln2 = new LayerNorm(scope.at("ln_2"), width, layerNormEpsilon);
    this.mlp = new Mlp(scope.at("mlp"), width, mlpWidth, quickGelu);
    this.width = width;
  }

  get heads(): number {
    return this.attn.heads;
  }

  get attentionScope(): WeightScope {
    return this.attn.scope;
  }

  /** @param x [B, L, width] @param mask added to the attention scores */
  protected forward(x: Tensor3D, mask?: Tensor4D): Tensor3D {
    x = add(x, this.attn.apply(this.ln1.apply(x), mask));
    x = tap(`${this.scope.path}#after_attention`, x);
    return add(x, this.mlp.apply(this.ln2.apply(x)));
  }
}
