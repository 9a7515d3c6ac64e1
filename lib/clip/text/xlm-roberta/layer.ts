/**
 * x ← LayerNorm(x + dense(attention(x)));  x ← LayerNorm(x + dense(GELU(dense(x))))
 *
 * Post-norm: the norms come after the sums, so they normalise the residual stream itself, twice in each layer. CLIP's
 * own block (residual-attention-block.ts) is pre-norm.
 *
 * Paper: Vaswani et al., "Attention Is All You Need", 2017 (arXiv 1706.03762), section 3.1.
 * Source: transformers/models/xlm_roberta, XLMRobertaLayer. State dict: `attention.*`, `intermediate.*`, `output.*`.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { Module } from "../../../nn/module.ts";
import type { Block } from "../../../nn/tower.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { XlmRobertaConfig } from "../../config/clip-config.ts";
import { XlmRobertaAttention } from "./attention.ts";
import { XlmRobertaIntermediate } from "./intermediate.ts";
import { XlmRobertaOutput } from "./output.ts";

export class XlmRobertaLayer extends Module<[x: Tensor3D, mask?: Tensor4D], Tensor3D> implements Block {
  readonly attention: XlmRobertaAttention;
  readonly intermediate: XlmRobertaIntermediate;
  readonly output: XlmRobertaOutput;
  readonly width: number;

  constructor(scope: WeightScope, config: XlmRobertaConfig) {
    super(scope);
    this.attention = new XlmRobertaAttention(scope.at("attention"), config);
    this.intermediate = new XlmRobertaIntermediate(scope.at("intermediate"), config);
    this.output = new XlmRobertaOutput(scope.at("output"), config.mlpWidth, config);
    this.width = config.width;
  }

  get heads(): number {
    return this.attention.self.heads;
  }

  get attentionScope(): WeightScope {
    return this.attention.self.scope;
  }

  /** @param x [B, L, width] @param mask [B, 1, 1, L], added to the attention scores */
  protected forward(x: Tensor3D, mask?: Tensor4D): Tensor3D {
    x = this.attention.apply(x, mask);
    const expanded = this.intermediate.apply(x); // [B, L, mlpWidth]
    return this.output.apply(expanded, x); // [B, L, width]
  }
}
