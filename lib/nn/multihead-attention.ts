/**
 * MultiHead(x) = W_O · concat(Attention(W_Q x, W_K x, W_V x) of each head), the self-attention of CLIP's own blocks.
 *
 * Paper: Vaswani et al., "Attention Is All You Need", 2017 (arXiv 1706.03762), section 3.2.2.
 * Source: torch.nn.MultiheadAttention with batch_first, as open_clip/transformer.py calls it.
 * State dict: `in_proj_weight` [3 · width, width] (query, key and value, stacked by rows), `in_proj_bias` [3 · width],
 * `out_proj.weight` [width, width], `out_proj.bias` [width].
 */
import type { Rank, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { tap } from "../tensor/taps.ts";
import type { WeightScope } from "../tensor/model-weights.ts";
import type { Weight } from "../tensor/weight.ts";
import { Module } from "./module.ts";
import { project, projectSplit } from "./operations/project.ts";
import { scaledDotProductAttention } from "./scaled-dot-product-attention.ts";

export class MultiheadAttention extends Module<[x: Tensor3D, mask?: Tensor4D], Tensor3D> {
  readonly inProjWeight: Weight<Rank.R2>;
  readonly inProjBias: Weight<Rank.R1>;
  readonly outProjWeight: Weight<Rank.R2>;
  readonly outProjBias: Weight<Rank.R1>;
  readonly heads: number;

  constructor(scope: WeightScope, width: number, heads: number) {
    super(scope);
    this.inProjWeight = scope.get("in_proj_weight", [3 * width, width], "linear");
    this.inProjBias = scope.get("in_proj_bias", [3 * width]);
    // Not a Linear: PyTorch never calls out_proj as a module, so out_proj has no tap.
    this.outProjWeight = scope.get("out_proj.weight", [width, width], "linear");
    this.outProjBias = scope.get("out_proj.bias", [width]);
    this.heads = heads;
  }

  /** @param x [B, L, width] @param mask see `scaledDotProductAttention` */
  protected forward(x: Tensor3D, mask?: Tensor4D): Tensor3D {
    const [query, key, value] = projectSplit(3, x, this.inProjWeight, this.inProjBias); // 3 × [B, L, width]
    const context = scaledDotProductAttention(
      this.scope,
      this.heads,
      tap(`${this.scope.path}#query`, query!),
      tap(`${this.scope.path}#key`, key!),
      tap(`${this.scope.path}#value`, value!),
      mask,
    );
    return project(context, this.outProjWeight, this.outProjBias);
  }
}
