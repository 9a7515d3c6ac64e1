/** Attention heads are slices of a vector's width: [B, L, heads · headWidth] seen as [B, heads, L, headWidth]. */
import { reshape, transpose, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";

/** [B, L, width] → [B, heads, L, headWidth] */
export function splitHeads(x: Tensor3D, heads: number): Tensor4D {
  const [batch, length, width] = x.shape;
  return transpose(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B, heads, L, headWidth] → [B, L, width] */
export function mergeHeads(x: Tensor4D): Tensor3D {
  const [batch, heads, length, headWidth] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * headWidth]);
}
