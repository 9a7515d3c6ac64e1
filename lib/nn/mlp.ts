/**
 * y = c_proj(GELU(c_fc(x)))
 *
 * Paper: Vaswani et al., "Attention Is All You Need", 2017 (arXiv 1706.03762), section 3.3.
 * Source: open_clip/transformer.py, ResidualAttentionBlock.mlp. State dict: `c_fc.weight` [hidden, width],
 * `c_fc.bias` [hidden], `c_proj.weight` [width, hidden], `c_proj.bias` [width].
 */
import type { Tensor3D } from "@tensorflow/tfjs-core";
import type { WeightScope } from "../tensor/model-weights.ts";
import { Gelu } from "./gelu.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { QuickGelu } from "./quick-gelu.ts";

export class Mlp extends Module<[x: Tensor3D], Tensor3D> {
  readonly cFc: Linear;
  readonly gelu: Gelu | QuickGelu;
  readonly cProj: Linear;

  constructor(scope: WeightScope, width: number, hidden: number, quickGelu: boolean) {
    super(scope);
    this.cFc = new Linear(scope.at("c_fc"), width, hidden, { bias: true });
    this.gelu = quickGelu ? new QuickGelu(scope.at("gelu")) : new Gelu(scope.at("gelu"));
    this.cProj = new Linear(scope.at("c_proj"), hidden, width, { bias: true });
  }

  /** @param x [B, L, width] */
  protected forward(x: Tensor3D): Tensor3D {
    x = this.cFc.apply(x); // [B, L, hidden]
    x = this.gelu.apply(x);
    return this.cProj.apply(x); // [B, L, width]
  }
}
