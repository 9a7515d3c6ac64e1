/**
 * The multilingual text tower: XLM-RoBERTa, a pooler, and a projection into the space shared with the images.
 *
 * Papers: Radford et al., 2021 (arXiv 2103.00020); Zhai et al., "LiT", 2022 (arXiv 2111.07991), for training one tower
 * against the other, frozen one. Source: open_clip/hf_model.py, HFTextEncoder. State dict: `transformer.*`, `proj.*`.
 */
import { add, mul, reshape, tensor2d } from "@tensorflow/tfjs-core";
import type { Rank, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { Linear } from "../../../nn/linear.ts";
import type { Module } from "../../../nn/module.ts";
import { maskedScore } from "../../../nn/scaled-dot-product-attention.ts";
import { lockedGroups } from "../../../nn/tower.ts";
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { RowTable } from "../../../tensor/row-table.ts";
import type { Loadable, Weight } from "../../../tensor/weight.ts";
import type { BertTextConfig, XlmRobertaTextConfig } from "../../config/clip-config.ts";
import type { TokenBatch } from "../token-batch.ts";
import { TextTower } from "../tower.ts";
import { ClsPooler } from "./cls-pooler.ts";
import type { XlmRobertaLayer } from "./layer.ts";
import { ClsLastHiddenStatePooler, MeanPooler } from "./pooler.ts";
import { positionsAfterPadding, type PositionRule } from "./positions.ts";
import { MlpProjection } from "./projection.ts";
import { XlmRoberta } from "./xlm-roberta.ts";

export class XlmRobertaTextTower extends TextTower {
  readonly transformer: XlmRoberta;
  readonly pooler: Module<[hidden: Tensor3D, batch: TokenBatch], Tensor2D>;
  readonly proj: Module<[x: Tensor2D], Tensor2D> | null;
  readonly readOutWeights: readonly Loadable[];
  readonly padId: number;
  readonly maxTokens: number;

  /** After the embeddings, on attention probabilities, and before both residual sums of a layer. */
  readonly dropout: ReadonlyMap<string, number>;

  /** @param rule how the network numbers positions */
  constructor(
    scope: WeightScope,
    config: XlmRobertaTextConfig | BertTextConfig,
    embedDim: number,
    rule: PositionRule = positionsAfterPadding,
  ) {
    super(scope);
    const { width, padId, positions, dropout } = config.network;
    this.transformer = new XlmRoberta(scope.at("transformer"), config.network, rule);
    this.pooler = createPooler(scope, config.pooler, width);
    this.proj = createProjection(scope.at("proj"), config.projection, width, embedDim);
    this.readOutWeights = [scope.at("transformer.pooler"), scope.at("proj")];
    this.padId = padId;
    this.maxTokens = rule.maxTokens(positions, padId);
    this.dropout = new Map([
      [this.embedTap, dropout.hidden],
      ...this.blocks.flatMap(({ attention, output }): [string, number][] => [
        [`${attention.self.scope.path}#probabilities`, dropout.attention],
        [attention.output.dense.scope.path, dropout.hidden],
        [output.dense.scope.path, dropout.hidden],
      ]),
    ]);
  }

  isToken(row: readonly number[]): boolean[] {
    return row.map((id) => id !== this.padId);
  }

  /** `<s>` */
  readOutPosition(): number {
    return 0;
  }

  get identities(): readonly string[] {
    return this.proj === null ? [`${this.scope.path}.proj`] : [];
  }

  /** Groups: the embeddings | each layer. A tower that is locked whole trains its projection alone. */
  locked(unlocked: number): readonly (Weight | RowTable)[] {
    const { scope, embeddings, encoder } = this.transformer;
    if (unlocked === 0) return scope.weights;
    const layers = encoder.layer.map((layer) => layer.scope.weights);
    return lockedGroups([embeddings.scope.weights, ...layers], unlocked);
  }

  embedWeights(batch: TokenBatch): readonly Loadable[] {
    return this.transformer.embeddings.weightsOf(batch);
  }

  /** @returns [B, L, width] */
  embed(batch: TokenBatch): Tensor3D {
    return this.transformer.embeddings.apply(batch);
  }

  get embedTap(): string {
    return this.transformer.embeddings.scope.path;
  }

  get blocks(): readonly XlmRobertaLayer[] {
    return this.transformer.encoder.layer;
  }

  get containers(): readonly WeightScope[] {
    return [this.transformer.encoder.scope, this.transformer.scope];
  }

  /** Tokens attend to tokens, not to padding. [B, 1, 1, L] */
  mask({ mask, tokens: { shape } }: TokenBatch): Tensor4D {
    const padding = add(mul(tensor2d(mask, [...shape]), -1), 1); // [B, L]
    return reshape(mul(padding, maskedScore), [shape[0], 1, 1, shape[1]]);
  }

  /** @param x [B, L, width]; its values at padding are arbitrary @returns [B, embedDim] */
  readOut(x: Tensor3D, batch: TokenBatch): Tensor2D {
    const pooled = this.pooler.apply(x, batch); // [B, width]
    return this.proj?.apply(pooled) ?? pooled; // [B, embedDim]
  }
}

function createPooler(
  scope: WeightScope,
  type: XlmRobertaTextConfig["pooler"],
  width: number,
): XlmRobertaTextTower["pooler"] {
  const pooler = scope.at("pooler");
  switch (type) {
    case "mean_pooler":
      return new MeanPooler(pooler);
    case "cls_pooler":
      return new ClsPooler(pooler, scope.at("transformer.pooler"), width);
    case "cls_last_hidden_state_pooler":
      return new ClsLastHiddenStatePooler(pooler);
  }
}

function createProjection(
  scope: WeightScope,
  type: XlmRobertaTextConfig["projection"],
  width: number,
  embedDim: number,
): XlmRobertaTextTower["proj"] {
  switch (type) {
    case "mlp":
      return new MlpProjection(scope, width, embedDim);
    case "linear":
      return new Linear<Rank.R2>(scope, width, embedDim, { bias: false, isReadOut: true });
    case "none":
      return null;
  }
}
