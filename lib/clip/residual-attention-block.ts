/**
 * x ← x + attn(ln_1(x));  x ← x + mlp(ln_2(x)): norms come before (pre-norm), the residual stream is never normed.
 *
 * Paper: Dosovitskiy et al., 2021 (arXiv 2010.11929), equations 2 and 3. Source: open_clip/transformer.py,
 * ResidualAttentionBlock. State dict: `ln_1.*`, `attn.*`, `ln_2.*`, `mlp.*`.
 */
import { add, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import { MultiheadAttention } from "../nn/attention.ts";
import { LayerNorm } from "../nn/layer-norm.ts";
import { Mlp } from "../nn/mlp.ts";
import { Module } from "../nn/module.ts";
import { tap } from "../tensor/taps.ts";
import type { WeightScope } from "../tensor/weights.ts";

/** PyTorch's default, which open_clip keeps. */
export const layerNormEpsilon = 1e-5;

export interface BlockSizes {
  readonly width: number;
  readonly heads: number;
  readonly mlpWidth: number;
}

export class ResidualAttentionBlock extends Module<[x: Tensor3D, mask?: Tensor4D], Tensor3D> {
  readonly ln_1: LayerNorm;
  readonly attn: MultiheadAttention;
  readonly ln_2: LayerNorm;
  readonly mlp: Mlp;

  constructor(scope: WeightScope, { width, heads, mlpWidth }: BlockSizes, quickGelu: boolean) {
    super(scope);
    this.ln_1 = new LayerNorm(scope.at("ln_1"), width, layerNormEpsilon);
    this.attn = new MultiheadAttention(scope.at("attn"), width, heads);
    this.ln_2 = new LayerNorm(scope.at("ln_2"), width, layerNormEpsilon);
    this.mlp = new Mlp(scope.at("mlp"), width, mlpWidth, quickGelu);
  }

  /** @param x [B, L, width] @param mask added to the attention's scores */
  protected forward(x: Tensor3D, mask?: Tensor4D): Tensor3D {
    x = add(x, this.attn.apply(this.ln_1.apply(x), mask));
    x = tap(`${this.scope.path}#after_attention`, x);
    return add(x, this.mlp.apply(this.ln_2.apply(x)));
  }
}
