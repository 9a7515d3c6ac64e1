/**
 * The English models' text tower: a causal transformer, read out at the end-of-text token.
 *
 * Paper: Radford et al., 2021 (arXiv 2103.00020), section 2.4. Source: open_clip/model.py, CLIP.encode_text;
 * open_clip/transformer.py, TextTransformer. State dict, at the root or under `text.`: `token_embedding.weight`
 * [vocab, width], `positional_embedding` [context, width], `transformer.resblocks.{i}.*`, `ln_final.*`,
 * `text_projection` [width, embedDim].
 */
import { add, gatherND, matMul, slice, tensor2d, tensor4d } from "@tensorflow/tfjs-core";
import type { Rank, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { maskedScore } from "../../../nn/attention.ts";
import { Embedding, type IdGrid } from "../../../nn/embedding.ts";
import { LayerNorm } from "../../../nn/layer-norm.ts";
import { consuming, StreamedModule, withWeights, type Steps } from "../../../nn/module.ts";
import { InputError } from "../../../errors/input-error.ts";
import type { Weight, WeightScope } from "../../../tensor/weights.ts";
import type { PlainTextConfig } from "../../config/open-clip.ts";
import { layerNormEpsilon } from "../../residual-attention-block.ts";
import { Transformer } from "../../transformer.ts";

/** Token ids up to the longest end of text, and where each row ends. */
export interface CausalBatch {
  readonly tokens: IdGrid;
  /** Position of the end of text, which has the largest id, in each row. */
  readonly ends: readonly number[];
}

export class PlainTextTower extends StreamedModule<[batch: CausalBatch], Tensor2D> {
  readonly tokenEmbedding: Embedding;
  readonly positionalEmbedding: Weight<Rank.R2>;
  readonly transformer: Transformer;
  readonly ln_final: LayerNorm;
  readonly textProjection: Weight<Rank.R2>;

  constructor(scope: WeightScope, config: PlainTextConfig, embedDim: number, quickGelu: boolean) {
    super(scope);
    const { vocabSize, width, contextLength } = config;
    this.tokenEmbedding = new Embedding(scope.at("token_embedding"), vocabSize, width);
    this.positionalEmbedding = scope.get("positional_embedding", [contextLength, width]);
    this.transformer = new Transformer(scope.at("transformer"), config, quickGelu);
    this.ln_final = new LayerNorm(scope.at("ln_final"), width, layerNormEpsilon);
    this.textProjection = scope.get("text_projection", [width, embedDim]);
  }

  /** Which ids of a row are read: those up to the end of text. */
  isToken(row: readonly number[]): boolean[] {
    const end = row.indexOf(Math.max(...row));
    return row.map((_, i) => i <= end);
  }

  /**
   * A batch of token ids as this tower takes it: what stands behind a row's end of text cannot change what is read out
   * there, so that a batch runs only as far as its longest text.
   *
   * @throws InputError for an empty row
   */
  batch(rows: readonly (readonly number[])[]): CausalBatch {
    const empty = rows.findIndex((row) => row.length === 0);
    if (empty !== -1) throw new InputError(`row ${empty} of the token ids is empty: expected at least one`);
    const ends = rows.map((row) => row.indexOf(Math.max(...row)));
    const length = Math.max(...ends) + 1;
    const ids = new Int32Array(rows.length * length);
    for (const [r, row] of rows.entries()) ids.set(row.slice(0, length), r * length);
    return { tokens: { ids, shape: [rows.length, length] }, ends };
  }

  /** The output is [B, embedDim]. */
  protected *forward({ tokens, ends }: CausalBatch): Steps<Tensor2D> {
    const rows = this.tokenEmbedding.rowsOf(tokens);
    const embedded = yield* withWeights([rows, this.positionalEmbedding], () => this.embed(tokens)); // [B, L, width]
    const mask = causalMask(tokens.shape[1]);
    const encoded = yield* consuming(embedded, (x) => consuming(mask, () => this.transformer.steps(x, mask)));
    const head = [this.ln_final.scope, this.textProjection];
    return yield* consuming(encoded, (x) => withWeights(head, () => this.pool(x, ends)));
  }

  private embed(tokens: IdGrid): Tensor3D {
    const positions = slice(this.positionalEmbedding.tensor, [0, 0], [tokens.shape[1], -1]); // [L, width]
    return add(this.tokenEmbedding.apply(tokens), positions); // [B, L, width]
  }

  /** The vector at the end of each text, projected. */
  private pool(x: Tensor3D, ends: readonly number[]): Tensor2D {
    const normed = this.ln_final.apply(x);
    const indices = tensor2d(
      ends.flatMap((end, row) => [row, end]),
      [ends.length, 2],
      "int32",
    );
    const pooled = gatherND(normed, indices) as Tensor2D; // [B, width]
    return matMul(pooled, this.textProjection.tensor); // [B, embedDim]
  }
}

/** 0 where a token may look, at itself and back, a large negative number ahead. [1, 1, L, L] */
function causalMask(length: number): Tensor4D {
  const mask = Float32Array.from({ length: length * length }, (_, i) => {
    const [from, to] = [Math.floor(i / length), i % length];
    return to > from ? maskedScore : 0;
  });
  return tensor4d(mask, [1, 1, length, length]);
}
