/**
 * The multilingual text tower: XLM-RoBERTa, a pooler, a projection into the space shared with the images.
 *
 * Paper: Radford et al., 2021 (arXiv 2103.00020) for the idea; Zhai et al., "LiT", 2022 (arXiv 2111.07991) for training
 * one tower against the other, frozen. Source: open_clip/hf_model.py, HFTextEncoder.
 * State dict: `transformer.*`, `proj.*`.
 */
import type { Rank, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import { Linear } from "../../../nn/linear.ts";
import {
  consuming,
  StreamedModule,
  withWeights,
  type Loadable,
  type Module,
  type Steps,
} from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/weights.ts";
import type { RobertaTextConfig } from "../../config/open-clip.ts";
import { ClsLastHiddenStatePooler, ClsPooler, MeanPooler } from "./pooler.ts";
import { MlpProjection } from "./projection.ts";
import { Roberta } from "./roberta.ts";
import { TokenBatch } from "./token-batch.ts";

export class RobertaTextTower extends StreamedModule<[batch: TokenBatch], Tensor2D> {
  readonly transformer: Roberta;
  readonly pooler: Module<[hidden: Tensor3D, batch: TokenBatch], Tensor2D>;
  readonly proj: Module<[x: Tensor2D], Tensor2D> | null;
  /** Weights behind the encoder. */
  readonly #head: readonly Loadable[];

  readonly #padId: number;

  constructor(scope: WeightScope, text: RobertaTextConfig, embedDim: number) {
    super(scope);
    const { width, padId } = text.roberta;
    this.#padId = padId;
    const robertaPooler = scope.at("transformer.pooler");
    this.transformer = new Roberta(scope.at("transformer"), text.roberta);
    this.pooler = createPooler(scope.at("pooler"), robertaPooler, text.pooler, width);
    this.proj = createProjection(scope.at("proj"), text.projection, width, embedDim);
    this.#head = [robertaPooler, scope.at("proj")];
  }

  /** Which ids of a row are read: those that are not padding. */
  isToken(row: readonly number[]): boolean[] {
    return row.map((id) => id !== this.#padId);
  }

  /** A batch of token ids as this tower takes it. @throws InputError for a row without tokens */
  batch(rows: readonly (readonly number[])[]): TokenBatch {
    return new TokenBatch(rows, this.#padId);
  }

  /** The output is [B, embedDim]. */
  protected *forward(batch: TokenBatch): Steps<Tensor2D> {
    const hidden = yield* this.transformer.steps(batch); // [B, L, width]
    return yield* consuming(hidden, (x) => withWeights(this.#head, () => this.finish(x, batch)));
  }

  private finish(hidden: Tensor3D, batch: TokenBatch): Tensor2D {
    const pooled = this.pooler.apply(hidden, batch); // [B, width]
    return this.proj?.apply(pooled) ?? pooled; // [B, embedDim]
  }
}

function createPooler(
  scope: WeightScope,
  robertaPooler: WeightScope,
  type: RobertaTextConfig["pooler"],
  width: number,
): RobertaTextTower["pooler"] {
  switch (type) {
    case "mean_pooler":
      return new MeanPooler(scope);
    case "cls_pooler":
      return new ClsPooler(scope, robertaPooler, width);
    case "cls_last_hidden_state_pooler":
      return new ClsLastHiddenStatePooler(scope);
  }
}

function createProjection(
  scope: WeightScope,
  type: RobertaTextConfig["projection"],
  width: number,
  embedDim: number,
): RobertaTextTower["proj"] {
  switch (type) {
    case "mlp":
      return new MlpProjection(scope, width, embedDim);
    case "linear":
      return new Linear<Rank.R2>(scope, width, embedDim, { bias: false });
    case "none":
      return null;
  }
}
