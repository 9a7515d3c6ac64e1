/**
 * Cuts the image into patches and projects each one: a convolution whose stride is its kernel size.
 *
 * Paper: Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021 (arXiv 2010.11929), equation 1.
 * Source: open_clip/transformer.py, VisionTransformer.conv1. State dict: `weight` [width, 3, patch, patch].
 */
import { conv2d, transpose, type Rank, type Tensor4D } from "@tensorflow/tfjs-core";
import { Module } from "../../nn/module.ts";
import type { WeightScope } from "../../tensor/model-weights.ts";
import type { Weight } from "../../tensor/weight.ts";
import type { VisionConfig } from "../config/clip-config.ts";

export class PatchEmbedding extends Module<[pixels: Tensor4D], Tensor4D> {
  readonly weight: Weight<Rank.R4>;
  readonly stride: [number, number];

  constructor(scope: WeightScope, { width, patchSize: [height, patchWidth] }: VisionConfig) {
    super(scope);
    this.weight = scope.get("weight", [width, 3, height, patchWidth], "conv2d");
    this.stride = [height, patchWidth];
  }

  /** @param pixels [B, 3, H, W], normalised @returns [B, width, rows, columns] */
  protected forward(pixels: Tensor4D): Tensor4D {
    const channelsLast = transpose(pixels, [0, 2, 3, 1]); // [B, H, W, 3]
    const patches = conv2d(channelsLast, this.weight.tensor, this.stride, "valid"); // [B, rows, columns, width]
    return transpose(patches, [0, 3, 1, 2]); // [B, width, rows, columns]
  }
}
