/**
 * From a vector for each token to a vector for the text.
 *
 * Mean pooling: mean of the hidden states over all tokens that are not padding, `<s>` and `</s>` included.
 * Source: open_clip/hf_model.py, MeanPooler, ClsPooler, ClsLastHiddenStatePooler;
 * transformers/models/xlm_roberta, XLMRobertaPooler. State dict (cls_pooler only): `dense.*` under `transformer.pooler`.
 */
import {
  div,
  mul,
  reshape,
  slice,
  sum,
  tanh,
  tensor3d,
  type Tensor2D,
  type Tensor3D,
} from "@tensorflow/tfjs-core";
import type { Rank } from "@tensorflow/tfjs-core";
import { Linear } from "../../../nn/linear.ts";
import { Module } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/weights.ts";
import type { TokenBatch } from "./token-batch.ts";

export class MeanPooler extends Module<[hidden: Tensor3D, batch: TokenBatch], Tensor2D> {
  /** @param hidden [B, L, width]; the output is [B, width] */
  protected forward(hidden: Tensor3D, { mask, tokens: { shape } }: TokenBatch): Tensor2D {
    const weights = tensor3d(mask, [...shape, 1]); // [B, L, 1]
    return div(sum(mul(hidden, weights), 1), sum(weights, 1)); // [B, width] / [B, 1]
  }
}

/** The vector of `<s>` as it is. */
export class ClsLastHiddenStatePooler extends Module<[hidden: Tensor3D], Tensor2D> {
  /** @param hidden [B, L, width]; the output is [B, width] */
  protected forward(hidden: Tensor3D): Tensor2D {
    const [batch, , width] = hidden.shape;
    return reshape(slice(hidden, [0, 0, 0], [batch, 1, width]), [batch, width]);
  }
}

/** BERT's pooler: tanh(dense(vector of `<s>`)). */
export class RobertaPooler extends Module<[hidden: Tensor3D], Tensor2D> {
  readonly dense: Linear<Rank.R2>;
  readonly activation: Tanh;

  constructor(scope: WeightScope, width: number) {
    super(scope);
    this.dense = new Linear(scope.at("dense"), width, width, { bias: true });
    this.activation = new Tanh(scope.at("activation"));
  }

  /** @param hidden [B, L, width]; the output is [B, width] */
  protected forward(hidden: Tensor3D): Tensor2D {
    const [batch, , width] = hidden.shape;
    const first: Tensor2D = reshape(slice(hidden, [0, 0, 0], [batch, 1, width]), [batch, width]);
    return this.activation.apply(this.dense.apply(first));
  }
}

class Tanh extends Module<[x: Tensor2D], Tensor2D> {
  protected forward(x: Tensor2D): Tensor2D {
    return tanh(x);
  }
}

/** open_clip's ClsPooler: what XLM-R's own pooler makes. */
export class ClsPooler extends Module<[hidden: Tensor3D], Tensor2D> {
  readonly robertaPooler: RobertaPooler;

  constructor(scope: WeightScope, robertaScope: WeightScope, width: number) {
    super(scope);
    this.robertaPooler = new RobertaPooler(robertaScope, width);
  }

  /** @param hidden [B, L, width]; the output is [B, width] */
  protected forward(hidden: Tensor3D): Tensor2D {
    return this.robertaPooler.apply(hidden);
  }
}
