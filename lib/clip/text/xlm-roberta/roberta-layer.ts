/**
 * x ← LayerNorm(x + dense(attention(x)));  x ← LayerNorm(x + dense(GELU(dense(x)))): norms come after (post-norm), so
 * that the residual stream itself is normed twice in each layer.
 *
 * Paper: Vaswani et al., "Attention Is All You Need", 2017 (arXiv 1706.03762), section 3.1.
 * Source: transformers/models/xlm_roberta, XLMRobertaLayer and its parts. State dict:
 * `attention.self.{query,key,value}.*`, `attention.output.{dense,LayerNorm}.*`, `intermediate.dense.*`,
 * `output.{dense,LayerNorm}.*`.
 */
import { add, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import { attend } from "../../../nn/attention.ts";
import { Gelu } from "../../../nn/gelu.ts";
import { LayerNorm } from "../../../nn/layer-norm.ts";
import { Linear } from "../../../nn/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/weights.ts";
import type { RobertaConfig } from "../../config/open-clip.ts";

export class RobertaLayer extends Module<[x: Tensor3D, mask: Tensor4D], Tensor3D> {
  readonly attention: RobertaAttention;
  readonly intermediate: RobertaIntermediate;
  readonly output: RobertaOutput;

  constructor(scope: WeightScope, config: RobertaConfig) {
    super(scope);
    this.attention = new RobertaAttention(scope.at("attention"), config);
    this.intermediate = new RobertaIntermediate(scope.at("intermediate"), config);
    this.output = new RobertaOutput(scope.at("output"), config.mlpWidth, config);
  }

  /** @param x [B, L, width] @param mask [B, 1, 1, L], added to the attention's scores */
  protected forward(x: Tensor3D, mask: Tensor4D): Tensor3D {
    x = this.attention.apply(x, mask);
    return this.output.apply(this.intermediate.apply(x), x);
  }
}

export class RobertaAttention extends Module<[x: Tensor3D, mask: Tensor4D], Tensor3D> {
  readonly self: RobertaSelfAttention;
  readonly output: RobertaOutput;

  constructor(scope: WeightScope, config: RobertaConfig) {
    super(scope);
    this.self = new RobertaSelfAttention(scope.at("self"), config);
    this.output = new RobertaOutput(scope.at("output"), config.width, config);
  }

  protected forward(x: Tensor3D, mask: Tensor4D): Tensor3D {
    return this.output.apply(this.self.apply(x, mask), x);
  }
}

export class RobertaSelfAttention extends Module<[x: Tensor3D, mask: Tensor4D], Tensor3D> {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly heads: number;

  constructor(scope: WeightScope, { width, heads }: RobertaConfig) {
    super(scope);
    this.query = new Linear(scope.at("query"), width, width, { bias: true });
    this.key = new Linear(scope.at("key"), width, width, { bias: true });
    this.value = new Linear(scope.at("value"), width, width, { bias: true });
    this.heads = heads;
  }

  protected forward(x: Tensor3D, mask: Tensor4D): Tensor3D {
    return attend(this.scope, this.heads, this.query.apply(x), this.key.apply(x), this.value.apply(x), mask);
  }
}

export class RobertaIntermediate extends Module<[x: Tensor3D], Tensor3D> {
  readonly dense: Linear;
  readonly activation: Gelu;

  constructor(scope: WeightScope, { width, mlpWidth }: RobertaConfig) {
    super(scope);
    this.dense = new Linear(scope.at("dense"), width, mlpWidth, { bias: true });
    this.activation = new Gelu(scope.at("intermediate_act_fn"));
  }

  /** @param x [B, L, width]; the output is [B, L, mlpWidth] */
  protected forward(x: Tensor3D): Tensor3D {
    return this.activation.apply(this.dense.apply(x));
  }
}

/** Projects back to the width, adds the residual, and norms: the end of both halves of a layer. */
export class RobertaOutput extends Module<[x: Tensor3D, residual: Tensor3D], Tensor3D> {
  readonly dense: Linear;
  readonly layerNorm: LayerNorm;

  constructor(scope: WeightScope, inWidth: number, { width, layerNormEpsilon }: RobertaConfig) {
    super(scope);
    this.dense = new Linear(scope.at("dense"), inWidth, width, { bias: true });
    this.layerNorm = new LayerNorm(scope.at("LayerNorm"), width, layerNormEpsilon);
  }

  /** @param x [B, L, inWidth] @param residual [B, L, width] */
  protected forward(x: Tensor3D, residual: Tensor3D): Tensor3D {
    return this.layerNorm.apply(add(this.dense.apply(x), residual));
  }
}
