/**
 * The stack of post-norm layers.
 *
 * Source: transformers/models/xlm_roberta, XLMRobertaEncoder. State dict: `layer.{i}.*`.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { runBlocks, StreamedModule, type Steps } from "../../../nn/module.ts";
import type { WeightScope } from "../../../tensor/weights.ts";
import type { RobertaConfig } from "../../config/open-clip.ts";
import { RobertaLayer } from "./roberta-layer.ts";

export class RobertaEncoder extends StreamedModule<[x: Tensor3D, mask: Tensor4D], Tensor3D> {
  readonly layer: readonly RobertaLayer[];

  constructor(scope: WeightScope, config: RobertaConfig) {
    super(scope);
    this.layer = Array.from(
      { length: config.layers },
      (_, i) => new RobertaLayer(scope.at(`layer.${i}`), config),
    );
  }

  /** @param x [B, L, width] @param mask [B, 1, 1, L], added to the attention's scores */
  protected forward(x: Tensor3D, mask: Tensor4D): Steps<Tensor3D> {
    return runBlocks(this.layer, x, (layer, input) => layer.apply(input, mask));
  }
}
