/**
 * Attention(Q, K, V) = softmax(Q · Kᵀ / √headWidth) · V in each head, and the multi-head form of the image tower.
 *
 * Paper: Vaswani et al., "Attention Is All You Need", 2017 (arXiv 1706.03762), section 3.2.
 * Source: torch.nn.MultiheadAttention with batch_first, as open_clip/transformer.py calls it.
 * State dict: `in_proj_weight` [3 · width, width] (query, key, value stacked by rows), `in_proj_bias` [3 · width],
 * `out_proj.weight` [width, width], `out_proj.bias` [width].
 */
import { add, matMul, mul, reshape, softmax, sub, sum, transpose, zeros } from "@tensorflow/tfjs-core";
import type { Rank, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { tap } from "../tensor/taps.ts";
import type { Weight, WeightScope } from "../tensor/weights.ts";
import { kernel, noGradient } from "./operations/operation.ts";
import { project, projectInto } from "./linear.ts";
import { Module } from "./module.ts";

/** What masks add to a score: so much that exp(score + maskedScore) is 0 in float32, while the sum stays finite. */
export const maskedScore = -1e9;

export class MultiheadAttention extends Module<[x: Tensor3D, mask?: Tensor4D], Tensor3D> {
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
  protected forward(x: Tensor3D, mask?: Tensor4D): Tensor3D {
    const qkv = projectInto(3, x, this.inProjWeight.tensor, this.inProjBias.tensor); // 3 of [B, L, width]
    const context = attend(this.scope, this.heads, ...(qkv as [Tensor3D, Tensor3D, Tensor3D]), mask);
    return project(context, this.outProjWeight.tensor, this.outProjBias.tensor);
  }
}

/**
 * Scaled dot-product attention in `heads` heads side by side.
 *
 * Emits the tap `#probabilities` [B, heads, L, L] of the given scope: row q says where query q looks.
 * @param query [B, L, heads · headWidth], as are key and value; the output is too
 * @param mask added to the scores, of four axes that broadcast to [B, heads, L, L]: 0 or `maskedScore`
 */
export function attend(
  scope: WeightScope,
  heads: number,
  query: Tensor3D,
  key: Tensor3D,
  value: Tensor3D,
  mask?: Tensor4D,
): Tensor3D {
  const probabilities = attentionProbabilities({ query, key, mask: mask ?? noMask() }, { heads }); // [B, heads, L, L]
  return attentionContext({ probabilities: tap(`${scope.path}#probabilities`, probabilities), value }, {});
}

/** A mask without elements stands for none. */
function noMask(): Tensor4D {
  return zeros([0, 1, 1, 1]);
}

export interface ProbabilitiesInputs {
  readonly query: Tensor3D;
  readonly key: Tensor3D;
  readonly mask: Tensor4D;
}

/** softmax(Q · Kᵀ / √headWidth + mask) */
const attentionProbabilities = kernel<ProbabilitiesInputs, { readonly heads: number }, Tensor4D>(
  "ClipscopeAttentionProbabilities",
  ["query", "key", "mask"],
  {
    compute: ({ query, key, mask }, { heads }) => {
      const scaled = mul(intoHeads(query, heads), scale(query, heads));
      const scores: Tensor4D = matMul(scaled, intoHeads(key, heads), false, true); // [B, heads, L, L]
      return softmax(mask.size > 0 ? add(scores, mask) : scores);
    },
    // P = softmax(S), S = Q · Kᵀ / √headWidth: S̄ = P (P̄ − Σ P P̄), Q̄ = S̄ · K / √headWidth, K̄ = S̄ᵀ · Q / √headWidth
    gradient: (dy, { query, key }, probabilities, { heads }) => {
      const scores = mul(
        mul(probabilities, sub(dy, sum(mul(dy, probabilities), -1, true))),
        scale(query, heads),
      );
      return {
        query: () => outOfHeads(matMul(scores, intoHeads(key, heads))),
        key: () => outOfHeads(matMul(transpose(scores, [0, 1, 3, 2]), intoHeads(query, heads))),
        mask: noGradient,
      };
    },
  },
);

export interface ContextInputs {
  readonly probabilities: Tensor4D;
  readonly value: Tensor3D;
}

/** P · V, head by head */
const attentionContext = kernel<ContextInputs, object, Tensor3D>(
  "ClipscopeAttentionContext",
  ["probabilities", "value"],
  {
    compute: ({ probabilities, value }) =>
      outOfHeads(matMul(probabilities, intoHeads(value, probabilities.shape[1]))),
    // C = P · V: P̄ = C̄ · Vᵀ, V̄ = Pᵀ · C̄
    gradient: (dy, { probabilities, value }) => {
      const heads = probabilities.shape[1];
      return {
        probabilities: () => matMul(intoHeads(dy, heads), intoHeads(value, heads), false, true),
        value: () => outOfHeads(matMul(transpose(probabilities, [0, 1, 3, 2]), intoHeads(dy, heads))),
      };
    },
  },
);

/** 1 / √headWidth */
function scale({ shape: [, , width] }: Tensor3D, heads: number): number {
  return (width / heads) ** -0.5;
}

/** [B, L, width] → [B, heads, L, headWidth] */
function intoHeads(x: Tensor3D, heads: number): Tensor4D {
  const [batch, length, width] = x.shape;
  return transpose(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B, heads, L, headWidth] → [B, L, width] */
function outOfHeads(x: Tensor4D): Tensor3D {
  const [batch, heads, length, headWidth] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * headWidth]);
}
