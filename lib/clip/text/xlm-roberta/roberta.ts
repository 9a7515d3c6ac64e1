/**
 * XLM-RoBERTa: embeddings, encoder, and (for `cls_pooler` alone) its own pooler.
 *
 * Paper: Conneau et al., 2020 (arXiv 1911.02116). Source: transformers/models/xlm_roberta, XLMRobertaModel.
 * State dict: `embeddings.*`, `encoder.layer.{i}.*`, `pooler.dense.*`.
 */
import { add, mul, reshape, tensor2d, tidy, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import { maskedScore } from "../../../nn/attention.ts";
import { consuming, StreamedModule, withWeights, type Steps } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/weights.ts";
import type { RobertaConfig } from "../../config/open-clip.ts";
import { RobertaEmbeddings } from "./roberta-embeddings.ts";
import { RobertaEncoder } from "./roberta-encoder.ts";
import type { TokenBatch } from "./token-batch.ts";

export class Roberta extends StreamedModule<[batch: TokenBatch], Tensor3D> {
  readonly embeddings: RobertaEmbeddings;
  readonly encoder: RobertaEncoder;

  constructor(scope: WeightScope, config: RobertaConfig) {
    super(scope);
    this.embeddings = new RobertaEmbeddings(scope.at("embeddings"), config);
    this.encoder = new RobertaEncoder(scope.at("encoder"), config);
  }

  /** The output is the last hidden state [B, L, width]; at padding its values mean nothing. */
  protected *forward(batch: TokenBatch): Steps<Tensor3D> {
    const weights = this.embeddings.weightsOf(batch);
    const embedded = yield* withWeights(weights, () => this.embeddings.apply(batch)); // [B, L, width]
    const mask = attentionMask(batch);
    return yield* consuming(embedded, (x) => consuming(mask, () => this.encoder.steps(x, mask)));
  }
}

/** 0 where a token may be looked at, a large negative number where there is padding. [B, 1, 1, L] */
function attentionMask({ mask, tokens: { shape } }: TokenBatch): Tensor4D {
  return tidy(() => {
    const absent = add(mul(tensor2d(mask, [...shape]), -1), 1); // [B, L]
    return reshape(mul(absent, maskedScore), [shape[0], 1, 1, shape[1]]);
  });
}
