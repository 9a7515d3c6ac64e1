/**
 * Attention(W_Q x, W_K x, W_V x) of each head. The output projection is in output.ts.
 *
 * Paper: Vaswani et al., "Attention Is All You Need", 2017 (arXiv 1706.03762), section 3.2.2.
 * Source: transformers/models/xlm_roberta, XLMRobertaSelfAttention.
 * State dict: `{query,key,value}.weight` [width, width], `{query,key,value}.bias` [width].
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { Linear } from "../../../nn/linear.ts";
import { Module } from "../../../nn/module.ts";
import { scaledDotProductAttention } from "../../../nn/scaled-dot-product-attention.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { XlmRobertaConfig } from "../../config/clip-config.ts";

export class XlmRobertaSelfAttention extends Module<[x: Tensor3D, mask?: Tensor4D], Tensor3D> {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly heads: number;

  constructor(scope: WeightScope, { width, heads }: XlmRobertaConfig) {
    super(scope);
    this.query = new Linear(scope.at("query"), width, width, { bias: true });
    this.key = new Linear(scope.at("key"), width, width, { bias: true });
    this.value = new Linear(scope.at("value"), width, width, { bias: true });
    this.heads = heads;
  }

  /** @param x [B, L, width] @param mask [B, 1, 1, L], added to the attention scores */
  protected forward(x: Tensor3D, mask?: Tensor4D): Tensor3D {
    const query = this.query.apply(x); // [B, L, width]
    const key = this.key.apply(x);
    const value = this.value.apply(x);
    return scaledDotProductAttention(this.scope, this.heads, query, key, value, mask);
  }
}
