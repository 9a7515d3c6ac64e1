/**
 * A stack of pre-norm blocks, the same in the image tower and in CLIP's own text tower.
 *
 * Source: open_clip/transformer.py, Transformer. State dict: `resblocks.{i}.*`.
 */
import type { WeightScope } from "../tensor/model-weights.ts";
import type { TransformerConfig } from "./config/clip-config.ts";
import { ResidualAttentionBlock } from "./residual-attention-block.ts";

export class Transformer {
  readonly scope: WeightScope;
  readonly resblocks: readonly ResidualAttentionBlock[];

  constructor(scope: WeightScope, config: TransformerConfig, quickGelu: boolean) {
    this.scope = scope;
    this.resblocks = Array.from(
      { length: config.layers },
      (_, i) => new ResidualAttentionBlock(scope.at(`resblocks.${i}`), config, quickGelu),
    );
  }
}
