/**
 * open_clip's cls_pooler: the output of XLM-RoBERTa's own pooler.
 *
 * Source: open_clip/hf_model.py, ClsPooler. Its weights are those of `transformer.pooler`.
 */
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import { Module } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import { XlmRobertaPooler } from "./xlm-roberta-pooler.ts";

export class ClsPooler extends Module<[hidden: Tensor3D], Tensor2D> {
  readonly robertaPooler: XlmRobertaPooler;

  /** @param robertaScope of `transformer.pooler` */
  constructor(scope: WeightScope, robertaScope: WeightScope, width: number) {
    super(scope);
    this.robertaPooler = new XlmRobertaPooler(robertaScope, width);
  }

  /** @param hidden [B, L, width] @returns [B, width] */
  protected forward(hidden: Tensor3D): Tensor2D {
    return this.robertaPooler.apply(hidden);
  }
}
