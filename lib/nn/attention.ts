/**
 * Attention(Q, K, V) = softmax(Q · Kᵀ / √headWidth) · V in each head, and the multi-head form of the image tower.
 *
 * Paper: Vaswani et al., "Attention Is All You Need", 2017 (arXiv 1706.03762), section 3.2.
 * Source: torch.nn.MultiheadAttention with batch_first, as open_clip/transformer.py calls it.
 * State dict: `in_proj_weight` [3 · width, width] (query, key, value stacked by rows), `in_proj_bias` [3 · width],
 * `out_proj.weight` [width, width], `out_proj.bias` [width].
 */
import { add, matMul, mul, reshape, softmax, split, transpose } from "@tensorflow/tfjs-core";
import type { Rank, Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { tap } from "../tensor/taps.ts";
import type { Weight, WeightScope } from "../tensor/weights.ts";
import { project } from "./linear.ts";
import { Module } from "./module.ts";

/** What masks add to a score: so much that exp(score + maskedScore) is 0 in float32, while the sum stays finite. */
export const maskedScore = -1e9;

export class MultiheadAttention extends Module<[x: Tensor3D, mask?: Tensor], Tensor3D> {
  readonly inProjWeight: Weight<Rank.R2>;
  readonly inProjBias: Weight<Rank.R1>;
  readonly outProjWeight: Weight<Rank.R2>;
  readonly outProjBias: Weight<Rank.R1>;
  readonly heads: number;

  constructor(scope: WeightScope, width: number, heads: number) {
    super(scope);
    this.inProjWeight = scope.get("in_proj_weight", [3 * width, width], "linear");
    this.inProjBias = scope.get("in_proj_bias", [3 * width]);
    // No Linear: PyTorch never calls out_proj as a module, so it has no tap.
    this.outProjWeight = scope.get("out_proj.weight", [width, width], "linear");
    this.outProjBias = scope.get("out_proj.bias", [width]);
    this.heads = heads;
  }

  /** @param x [B, L, width] @param mask see `attend` */
  protected forward(x: Tensor3D, mask?: Tensor): Tensor3D {
    const qkv = project(x, this.inProjWeight.tensor, this.inProjBias.tensor); // [B, L, 3 · width]
    const [query, key, value] = split(qkv, 3, -1) as [Tensor3D, Tensor3D, Tensor3D]; // [B, L, width]
    const context = attend(this.scope, this.heads, query, key, value, mask);
    return project(context, this.outProjWeight.tensor, this.outProjBias.tensor);
  }
}

/**
 * Scaled dot-product attention in `heads` heads side by side.
 *
 * Emits the tap `#probabilities` [B, heads, L, L] of the given scope: row q says where query q looks.
 * @param query [B, L, heads · headWidth], as are key and value; the output is too
 * @param mask added to the scores, of a shape that broadcasts to [B, heads, L, L]: 0 or `maskedScore`
 */
export function attend(
  scope: WeightScope,
  heads: number,
  query: Tensor3D,
  key: Tensor3D,
  value: Tensor3D,
  mask?: Tensor,
): Tensor3D {
  const [batch, length, width] = query.shape;
  const headWidth = width / heads;
  const intoHeads = (x: Tensor3D): Tensor4D =>
    transpose(reshape(x, [batch, length, heads, headWidth]), [0, 2, 1, 3]); // [B, heads, L, headWidth]

  const scaled = mul(intoHeads(query), headWidth ** -0.5);
  const scores = matMul(scaled, intoHeads(key), false, true); // [B, heads, L, L]
  const probabilities = tap(`${scope.path}#probabilities`, softmax(mask ? add(scores, mask) : scores));
  const context = matMul(probabilities, intoHeads(value)); // [B, heads, L, headWidth]
  return reshape(transpose(context, [0, 2, 1, 3]), [batch, length, width]);
}
