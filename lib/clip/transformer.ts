/**
 * A stack of pre-norm blocks.
 *
 * Source: open_clip/transformer.py, Transformer. State dict: `resblocks.{i}.*`.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { runBlocks, StreamedModule, type Steps } from "../nn/module.ts";
import type { WeightScope } from "../tensor/weights.ts";
import { ResidualAttentionBlock, type BlockSizes } from "./residual-attention-block.ts";

export class Transformer extends StreamedModule<[x: Tensor3D, mask?: Tensor4D], Tensor3D> {
  readonly resblocks: readonly ResidualAttentionBlock[];

  constructor(scope: WeightScope, sizes: BlockSizes & { readonly layers: number }, quickGelu: boolean) {
    super(scope);
    this.resblocks = Array.from(
      { length: sizes.layers },
      (_, i) => new ResidualAttentionBlock(scope.at(`resblocks.${i}`), sizes, quickGelu),
    );
  }

  /** @param x [B, L, width] @param mask added to the attention's scores */
  protected forward(x: Tensor3D, mask?: Tensor4D): Steps<Tensor3D> {
    return runBlocks(this.resblocks, x, (block, input) => block.apply(input, mask));
  }
}
